"""Repetitions of one key are limited, on a simulated clock."""

from __future__ import annotations

from pdsno_cli.messaging.throttle import Throttle


def test_key_passes_once_in_a_while_and_independently_of_others():
    throttle = Throttle(seconds=60)
    assert throttle.due("a", 100)
    assert not throttle.due("a", 159.9)
    assert throttle.due("b", 159.9)
    assert throttle.due("a", 160)


def test_many_keys_are_forgotten_instead_of_kept_for_ever():
    throttle = Throttle()
    assert all(throttle.due(str(number), 0) for number in range(1_001))
    assert throttle.due("0", 1)  # forgotten: it passes early
    assert not throttle.due("1000", 1)

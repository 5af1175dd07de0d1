"""Waits between attempts."""

from __future__ import annotations

from pdsno_cli.messaging.backoff import CAP, FIRST, UNREACHED_CAP, Backoff


def test_delays_grow_to_the_cap_and_restart_after_a_reset():
    backoff = Backoff()
    waits = [backoff.next() for _ in range(200)]
    assert 0 <= waits[0] <= FIRST
    assert max(waits) <= CAP
    assert max(waits[20:]) > CAP / 2  # chance of a false alarm: 2 ** -180
    backoff.reset()
    assert backoff.next() <= FIRST


def test_delays_are_spread_over_the_whole_range():
    first = [Backoff().next() for _ in range(200)]
    assert min(first) < FIRST / 4
    assert max(first) > FIRST * 3 / 4


def test_lower_cap_limits_the_delay():
    backoff = Backoff()
    waits = [backoff.next(UNREACHED_CAP) for _ in range(200)]
    assert max(waits) <= UNREACHED_CAP < CAP

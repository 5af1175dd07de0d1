"""The adaptive timeout without a network: floor, ceiling, and one more try where requests get lost."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.adaptive import ENOUGH, AdaptiveTimeout


def after(*answers, floor=0.05, ceiling=1.0):
    """Return a timeout after answers, each as seconds and the number of the last try."""
    timeout = AdaptiveTimeout(ceiling=ceiling, floor=floor)
    for seconds, attempt in answers:
        timeout.answered(seconds, attempt=attempt)
    return timeout


def test_timeout_is_the_ceiling_until_eight_targets_have_answered():
    few = [(0.001, 1)] * (ENOUGH - 1)
    assert (after(*few).seconds, after(*few).adapted) == (1.0, False)
    assert (after(*few, (0.001, 1)).seconds, after(*few, (0.001, 1)).adapted) == (0.05, True)


@pytest.mark.parametrize(("largest", "seconds"), [(0.001, 0.05), (0.02, 0.16), (0.5, 1.0)])
def test_timeout_is_eight_times_the_largest_round_trip_between_floor_and_ceiling(largest, seconds):
    assert after((largest, 1), *[(0.001, 1)] * 50).seconds == pytest.approx(seconds)


def test_timeout_without_a_floor_is_fixed_and_so_are_the_tries():
    timeout = after(*[(0.001, 2)] * 50, floor=None)
    assert (timeout.seconds, timeout.adapted, timeout.extra_tries) == (1.0, False, 0)


@pytest.mark.parametrize(("late", "extra"), [(0, 0), (1, 0), (3, 1), (20, 2)])
def test_answers_that_came_to_retries_only_ask_for_more_tries(late, extra):
    assert after(*[(0.001, 1)] * (100 - late), *[(0.001, 2)] * late).extra_tries == extra


def test_answer_of_a_target_that_was_given_up_doubles_the_timeout():
    timeout = after(*[(0.001, 1)] * 20)
    timeout.answered_too_late()
    assert timeout.seconds == pytest.approx(0.1)

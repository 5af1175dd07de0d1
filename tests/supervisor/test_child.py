from __future__ import annotations

from pdsno_cli.runtime.child import EXIT_CRASHED, EXIT_FAILED
from pdsno_cli.supervisor.child import MAX_FAILURES, Child, ChildState


def running():
    child = Child("lc1", lambda _: None)
    child.requested()
    child.started(123)
    return child


def test_ended_by_a_crash_is_started_again_after_a_delay():
    child = running()
    delay = child.ended(EXIT_CRASHED)
    assert delay > 0
    assert child.state is ChildState.WAITING


def test_ended_by_a_permanent_failure_is_given_up():
    child = running()
    assert child.ended(EXIT_FAILED) is None
    assert child.state is ChildState.FAILED


def test_ended_as_expected_is_stopped_whatever_the_exit_code():
    child = running()
    child.expect_end()
    assert child.ended(-9) is None
    assert child.state is ChildState.STOPPED


def test_ended_too_often_is_given_up():
    child = Child("lc1", lambda _: None)
    delays = []
    for _ in range(MAX_FAILURES):
        child.requested()
        child.started(1)
        delays.append(child.ended(-9))
    assert delays[-1] is None
    assert child.state is ChildState.FAILED


def test_ended_often_but_ready_in_between_is_never_given_up():
    child = Child("lc1", lambda _: None)
    for _ in range(3 * MAX_FAILURES):
        child.requested()
        child.started(1)
        child.became_ready()
        assert child.ended(-9) is not None


def test_expected_end_of_a_child_that_is_being_started_waits_for_it():
    child = Child("lc1", lambda _: None)
    child.requested()
    child.expect_end()
    assert child.alive
    child.started(5)
    assert not child.wanted


def test_a_restart_is_neither_a_failure_nor_counted():
    child = running()
    child.restart()
    assert child.ended(0) == 0.0
    assert (child.state, child.restarts) == (ChildState.WAITING, 0)
    child.requested()
    child.started(124)
    assert child.ended(EXIT_CRASHED) > 0  # the next end is judged as ever
    assert child.restarts == 1


def test_a_stop_after_a_restart_counts():
    child = running()
    child.restart()
    child.stop()
    assert child.ended(0) is None
    assert child.state is ChildState.STOPPED


def test_a_child_that_was_given_up_can_be_stopped_and_revived():
    child = running()
    child.ended(EXIT_FAILED)
    child.expect_end()
    assert child.state is ChildState.FAILED  # at the end of the run it is still that
    child.stop()
    assert child.state is ChildState.STOPPED
    child.revive()
    child.requested()
    child.started(125)
    assert child.ended(EXIT_CRASHED) > 0

"""Failing listeners."""

from __future__ import annotations

from pdsno_cli.messaging.guarded import call_guarded


def test_exception_of_a_listener_is_logged_and_not_raised(caplog):
    called = []
    call_guarded(called.append, 1)
    call_guarded(int, "not a number")
    assert called == [1]
    (record,) = caplog.records
    assert record.exc_info[0] is ValueError

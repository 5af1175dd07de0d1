"""Connections are numbered over all transports together."""

from __future__ import annotations

from pdsno_cli.messaging.connection_numbers import ConnectionNumbers


def test_numbers_rise_over_all_transports():
    numbers = ConnectionNumbers()
    assert [numbers.assign("mqtt"), numbers.assign("http"), numbers.assign("mqtt")] == [1, 2, 3]


def test_assigned_number_is_taken_once_with_its_session():
    numbers = ConnectionNumbers()
    numbers.assign("mqtt")
    numbers.set_session("mqtt", present=True)
    assert numbers.take("mqtt") == (1, True)
    assert numbers.take("mqtt") == (2, False)


def test_session_without_an_assigned_number_is_ignored():
    numbers = ConnectionNumbers()
    numbers.set_session("bus", present=True)
    assert numbers.take("bus") == (1, False)

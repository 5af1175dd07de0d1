"""Which connections raise a suspicion, and what follows; pure."""

from __future__ import annotations

from pdsno_cli.messaging.client_id import EVICTIONS, SHORT, ClientId


def ended(one: ClientId, **how: object) -> bool:
    usual = {"was_up": True, "held": 1.0, "taken_over": False, "refused": False}
    return one.ended(**(usual | how))


def test_short_connections_in_a_row_are_suspect():
    one = ClientId("id")
    assert [ended(one) for _ in range(EVICTIONS)] == [False] * (EVICTIONS - 1) + [True]


def test_long_connection_and_failed_attempt_reset_the_count():
    one = ClientId("id")
    for how in ({"held": SHORT + 1}, {"was_up": False}):
        for _ in range(EVICTIONS - 1):
            assert not ended(one)
        assert not ended(one, **how)


def test_reason_of_the_broker_makes_the_id_suspect_each_time():
    one = ClientId("id")
    for _ in range(2):
        assert ended(one, taken_over=True)
        one.hide()


def test_a_hidden_id_is_another_each_time_and_not_suspected_for_a_broker_that_flaps():
    one = ClientId("id")
    one.hide()
    first = one.current
    assert one.private
    assert first.startswith("id-")
    assert not any(ended(one) for _ in range(3 * EVICTIONS))
    one.hide()
    assert one.current != first


def test_a_broker_that_refuses_the_hidden_id_gets_the_declared_one():
    one = ClientId("id")
    one.hide()
    assert not ended(one, was_up=False, refused=True)
    assert one.current == "id"

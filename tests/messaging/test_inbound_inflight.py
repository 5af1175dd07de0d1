"""The order of acknowledgements by the order of arrival and of releases; no broker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.inbound_inflight import InboundInflight


def window() -> tuple[InboundInflight, list[None]]:
    woken: list[None] = []
    return InboundInflight(lambda: woken.append(None)), woken


def test_a_released_message_waits_for_those_before_it():
    inflight, woken = window()
    first, second, third = (inflight.add(1, number) for number in (7, 300, 9))
    second()
    third()
    assert inflight.pop_acks() == b""
    first()
    assert inflight.pop_acks() == b"\x40\x02\x00\x07\x40\x02\x01\x2c\x40\x02\x00\x09"
    assert inflight.pop_acks() == b""
    assert len(woken) == 3


def test_a_message_of_qos_2_is_answered_by_pubrec():
    inflight, _ = window()
    inflight.add(2, 1)()
    assert inflight.pop_acks() == b"\x50\x02\x00\x01"


def test_second_release_has_no_effect():
    inflight, _ = window()
    first, second = inflight.add(1, 1), inflight.add(1, 2)
    first()
    assert len(inflight.pop_acks()) == 4
    first()
    assert inflight.pop_acks() == b""
    second()
    assert inflight.pop_acks() == b"\x40\x02\x00\x02"


@given(st.permutations(range(1, 20)), st.data())
def test_acknowledgements_go_out_in_order_of_arrival_whatever_is_released_first(order, data):
    inflight, _ = window()
    taken = {number: inflight.add(1, number) for number in range(1, 20)}
    sent = b""
    for number in order:
        taken[number]()
        if data.draw(st.booleans()):
            sent += inflight.pop_acks()
    sent += inflight.pop_acks()
    assert [sent[at + 3] for at in range(0, len(sent), 4)] == list(range(1, 20))

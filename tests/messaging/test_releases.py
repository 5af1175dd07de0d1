"""Which acknowledgements are due, from which messages are released; no broker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.releases import Releases


def window() -> tuple[Releases, list[None]]:
    rung: list[None] = []
    return Releases(lambda: rung.append(None)), rung


def test_a_released_message_waits_for_those_before_it():
    releases, rung = window()
    first, second, third = (releases.take(1, number) for number in (7, 300, 9))
    second()
    third()
    assert releases.due() == b""
    first()
    assert releases.due() == b"\x40\x02\x00\x07\x40\x02\x01\x2c\x40\x02\x00\x09"
    assert releases.due() == b""
    assert len(rung) == 3


def test_a_message_of_qos_2_is_answered_by_pubrec():
    releases, _ = window()
    releases.take(2, 1)()
    assert releases.due() == b"\x50\x02\x00\x01"


def test_a_second_release_is_void():
    releases, _ = window()
    first, second = releases.take(1, 1), releases.take(1, 2)
    first()
    assert len(releases.due()) == 4
    first()
    assert releases.due() == b""
    second()
    assert releases.due() == b"\x40\x02\x00\x02"


@given(st.permutations(range(1, 20)), st.data())
def test_acknowledgements_go_out_in_order_of_arrival_whatever_is_released_first(order, data):
    releases, _ = window()
    taken = {number: releases.take(1, number) for number in range(1, 20)}
    sent = b""
    for number in order:
        taken[number]()
        if data.draw(st.booleans()):
            sent += releases.due()
    sent += releases.due()
    assert [sent[at + 3] for at in range(0, len(sent), 4)] == list(range(1, 20))

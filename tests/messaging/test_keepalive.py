"""When a ping is due and when a broker is silent for too long, on a simulated clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.keepalive import Keepalive


def test_nothing_is_due_before_half_a_keepalive_of_silence():
    timer = Keepalive(10, 100)
    assert timer.deadline() == 105
    assert not timer.ping_due(104.9)
    assert timer.ping_due(105)
    assert not timer.expired(1000)  # no ping was sent


def test_received_bytes_delay_the_ping_but_not_beyond_nine_tenths():
    timer = Keepalive(10, 100)
    for now in (104, 107, 108.9):
        timer.received(now)
        assert not timer.ping_due(now)
    assert timer.ping_due(109)


def test_any_byte_after_the_ping_proves_life():
    timer = Keepalive(10, 100)
    timer.ping_sent(105)
    assert not timer.ping_due(113)
    assert not timer.expired(113.9)
    assert timer.expired(114)
    timer.received(114)
    assert not timer.expired(114)
    assert timer.deadline() == 114  # nothing was sent since 105


def test_after_a_long_pause_a_ping_comes_before_giving_up():
    timer = Keepalive(10, 100)
    assert not timer.expired(500)
    assert timer.ping_due(500)
    timer.ping_sent(500)
    assert timer.deadline() == 509


@given(st.floats(0.1, 1e4), st.lists(st.floats(0.001, 0.6), max_size=20), st.data())
def test_silence_is_noticed_within_one_and_a_half_keepalives(keepalive, gaps, data):
    now = 0.0
    timer = Keepalive(keepalive, now)
    for gap in gaps:  # the broker talks
        now += gap * keepalive
        if timer.ping_due(now):
            timer.ping_sent(now)
        if data.draw(st.booleans()):
            timer.received(now)
    timer.received(now)
    last = now
    while not timer.expired(now):  # and falls silent
        if timer.ping_due(now):
            timer.ping_sent(now)
        now = timer.deadline() + 1e-9 * keepalive
    assert now - last <= 1.5 * keepalive

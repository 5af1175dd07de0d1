"""When a ping is due and when a broker is silent for too long, on a clock of our own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.silence import Silence


def test_nothing_is_due_before_half_a_keepalive_of_silence():
    silence = Silence(10, 100)
    assert silence.next() == 105
    assert not silence.ping_due(104.9)
    assert silence.ping_due(105)
    assert not silence.lost(1000)  # nobody was asked


def test_what_is_heard_puts_the_ping_off_but_not_beyond_nine_tenths():
    silence = Silence(10, 100)
    for now in (104, 107, 108.9):
        silence.heard(now)
        assert not silence.ping_due(now)
    assert silence.ping_due(109)


def test_any_byte_after_the_ping_proves_life():
    silence = Silence(10, 100)
    silence.pinged(105)
    assert not silence.ping_due(113)
    assert not silence.lost(113.9)
    assert silence.lost(114)
    silence.heard(114)
    assert not silence.lost(114)
    assert silence.next() == 114  # nothing was sent since 105


def test_who_was_away_asks_before_giving_up():
    silence = Silence(10, 100)
    assert not silence.lost(500)
    assert silence.ping_due(500)
    silence.pinged(500)
    assert silence.next() == 509


@given(st.floats(0.1, 1e4), st.lists(st.floats(0.001, 0.6), max_size=20), st.data())
def test_silence_is_noticed_within_one_and_a_half_keepalives(keepalive, gaps, data):
    now = 0.0
    silence = Silence(keepalive, now)
    for gap in gaps:  # the broker talks
        now += gap * keepalive
        if silence.ping_due(now):
            silence.pinged(now)
        if data.draw(st.booleans()):
            silence.heard(now)
    silence.heard(now)
    last = now
    while not silence.lost(now):  # and falls silent
        if silence.ping_due(now):
            silence.pinged(now)
        now = silence.next() + 1e-9 * keepalive
    assert now - last <= 1.5 * keepalive

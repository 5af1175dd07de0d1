from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging import http_challenge
from pdsno_cli.messaging.http_challenge import LIFE, Nonces, prove
from pdsno_cli.messaging.signing import Signer
from tests.messaging.samples import KEY

SIGNER = Signer(KEY)


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def take(nonces: Nonces, nonce: str, *, sender="lc_1", receiver="rc_1", seen="", key=KEY) -> bool:
    return nonces.take(sender, nonce, seen, prove(Signer(key), receiver, sender, nonce, seen))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def nonces(clock):
    return Nonces("rc_1", SIGNER, clock)


def test_nonce_is_good_once(nonces):
    nonce = nonces.give("lc_1")
    assert take(nonces, nonce)
    assert not take(nonces, nonce)
    assert take(nonces, nonces.give("lc_1"))


@pytest.mark.parametrize(
    "changes", [{"sender": "lc_2"}, {"receiver": "rc_2"}, {"key": bytes(range(1, 33))}]
)
def test_nonce_is_good_for_one_sender_at_one_receiver_who_has_the_key(nonces, changes):
    nonce = nonces.give("lc_1")
    assert not take(nonces, nonce, **changes)
    assert take(nonces, nonce)  # which nobody else can use up


def test_nonce_is_good_for_a_while(nonces, clock):
    nonce = nonces.give("lc_1")
    clock.now += LIFE - 1
    assert take(nonces, nonces.give("lc_1"))
    clock.now += 2
    assert not take(nonces, nonce)


def test_nonce_of_another_process_is_none(nonces, clock):
    assert not take(nonces, Nonces("rc_1", SIGNER, clock).give("lc_1"))


def test_nonces_given_out_cost_nothing_and_those_used_are_forgotten(nonces, clock, monkeypatch):
    monkeypatch.setattr(http_challenge, "MOST_USED", 3)
    for _ in range(1000):
        nonces.give("lc_1")
    assert [take(nonces, nonces.give("lc_1")) for _ in range(5)] == [True, True, True, False, False]
    clock.now += LIFE + 1
    assert take(nonces, nonces.give("lc_1"))
    assert len(nonces._used) == 1


@pytest.mark.parametrize("sender", ["", "x" * 10_000])
def test_nonce_for_no_id_is_none(nonces, sender):
    assert nonces.give(sender) == ""


@given(st.text(), st.text(), st.text(), st.text())
def test_take_refuses_whatever_else_comes(sender, nonce, seen, proof):
    assert not Nonces("rc_1", SIGNER).take(sender, nonce, seen, proof)

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
    return nonces.consume(sender, nonce, seen, prove(Signer(key), receiver, sender, nonce, seen))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def nonces(clock):
    return Nonces("rc_1", SIGNER, clock)


def test_nonce_is_valid_once(nonces):
    nonce = nonces.issue("lc_1")
    assert take(nonces, nonce)
    assert not take(nonces, nonce)
    assert take(nonces, nonces.issue("lc_1"))


@pytest.mark.parametrize(
    "changes", [{"sender": "lc_2"}, {"receiver": "rc_2"}, {"key": bytes(range(1, 33))}]
)
def test_nonce_is_valid_for_one_sender_receiver_and_key(nonces, changes):
    nonce = nonces.issue("lc_1")
    assert not take(nonces, nonce, **changes)
    assert take(nonces, nonce)  # which nobody else can use up


def test_nonce_expires(nonces, clock):
    nonce = nonces.issue("lc_1")
    clock.now += LIFE - 1
    assert take(nonces, nonces.issue("lc_1"))
    clock.now += 2
    assert not take(nonces, nonce)


def test_nonce_of_another_process_is_invalid(nonces, clock):
    assert not take(nonces, Nonces("rc_1", SIGNER, clock).issue("lc_1"))


def test_issued_nonces_cost_no_memory_and_used_ones_expire(nonces, clock, monkeypatch):
    monkeypatch.setattr(http_challenge, "MOST_USED", 3)
    for _ in range(1000):
        nonces.issue("lc_1")
    assert [take(nonces, nonces.issue("lc_1")) for _ in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    clock.now += LIFE + 1
    assert take(nonces, nonces.issue("lc_1"))
    assert len(nonces._used) == 1


@pytest.mark.parametrize("sender", ["", "x" * 10_000])
def test_nonce_for_an_invalid_id_is_empty(nonces, sender):
    assert nonces.issue(sender) == ""


@given(st.text(), st.text(), st.text(), st.text())
def test_consume_refuses_arbitrary_text(sender, nonce, seen, proof):
    assert not Nonces("rc_1", SIGNER).consume(sender, nonce, seen, proof)

"""The signature block, and what it covers."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.signing import Signer, key_id
from pdsno_cli.model.refusals import Reason, RefusedError

KEY = b"k" * 32
SIGNER = Signer(KEY)
DATA = SIGNER.sign("pdsno/t", b'{"a":1}')


def refusal(topic: str, data: bytes, signer: Signer = SIGNER) -> Reason:
    with pytest.raises(RefusedError) as caught:
        signer.verify(topic, data)
    return caught.value.reason


@pytest.mark.parametrize("size", [16, 63, 64, 65, 200])
def test_signature_is_hmac_for_every_length_of_key(size):
    key = bytes(range(size))
    topic, sealed = "t/é", Signer(key).sign("t/é", b'{"a":1}')
    start = sealed.index(b'"sig":"') + len(b'"sig":"')
    expected = hmac.new(key, topic.encode() + b"\0" + sealed[:start], hashlib.sha256).hexdigest()
    assert sealed[start:] == expected.encode() + b'"}}'


def test_block_is_the_last_member_and_names_algorithm_and_key():
    kid = key_id(KEY)
    assert DATA.startswith(b'{"a":1,"signature":{"alg":"HMAC-SHA256","kid":"%b"' % kid.encode())
    SIGNER.verify("pdsno/t", DATA)


def test_two_signatures_of_one_document_differ():
    assert SIGNER.sign("t", b'{"a":1}') != SIGNER.sign("t", b'{"a":1}')


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(at, change):
    changed = bytearray(DATA)
    changed[at] ^= change
    assert refusal("pdsno/t", bytes(changed)) in (Reason.ALTERED, Reason.UNSIGNED)


def test_topic_key_and_algorithm_are_covered():
    assert refusal("pdsno/u", DATA) is Reason.ALTERED
    assert refusal("pdsno/t", DATA, Signer(b"x" * 32)) is Reason.ALTERED
    assert refusal("pdsno/t", DATA.replace(b"SHA256", b"SHA512")) is Reason.ALTERED


@pytest.mark.parametrize("data", [b"", b"{}", DATA + b" ", DATA[:-1], b'{"signature":{}}'])
def test_missing_or_incomplete_block_is_unsigned(data):
    assert refusal("pdsno/t", data) is Reason.UNSIGNED


def test_code_of_another_purpose_is_no_signature_of_a_topic():
    assert SIGNER.code("a", b"text") != SIGNER.code("b", b"text")
    assert len(SIGNER.code("a", b"text")) == 64


def test_short_key_is_refused():
    with pytest.raises(ValueError, match="too short"):
        Signer(b"secret")

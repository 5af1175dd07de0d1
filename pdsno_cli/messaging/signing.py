"""The signature of a message: HMAC-SHA256 over its topic and the exact bytes sent.

A message is one JSON object whose last member is the signature block, and the block's last member
is the signature itself, so everything before that value is what is signed:

    topic NUL {"message_id":…,"payload":{…},"signature":{"alg":…,"kid":…,"nonce":…,"sig":"
"""

from __future__ import annotations

import hashlib
import hmac
import re

from pdsno_cli.model.ids import RANDOM_BYTES, random_bytes
from pdsno_cli.model.refusals import Reason, RefusedError

ALGORITHM = "HMAC-SHA256"
MIN_KEY_BYTES = 16
_BLOCK = 64  # bytes of a SHA-256 block (RFC 2104)
_SIG = 64  # hex digits of a signature
_NAME = b'","sig":"'  # what precedes the signature
_CLOSE = b'"}}'  # what follows it
_SEALED = _SIG + len(_CLOSE)  # bytes from the signature on
_NONCE = 2 * RANDOM_BYTES  # hex digits of a nonce that is made here
_HEX = b"0123456789abcdef"
_AFTER_NONCE = len(_NAME) + _SEALED
_TAIL = 320  # bytes within which the signature block must fit
_SIGNATURE = re.compile(
    rb',"signature":\{"alg":"(?P<alg>[A-Za-z0-9-]{1,32})","kid":"(?P<kid>[0-9a-f]{8,64})",'
    rb'"nonce":"(?P<nonce>[0-9a-f]{16,64})","sig":"(?P<sig>[0-9a-f]{64})"\}\}\Z'
)


def key_id(key: bytes) -> str:
    """Return the name of a key in signature blocks: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:8]


class Signer:
    """Signs and verifies with one key; safe for use from several threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(
                f"a signing key of {len(key)} bytes is too short: use at least {MIN_KEY_BYTES}"
            )
        kid = key_id(key)
        self._kid = kid.encode()
        self._head = f',"signature":{{"alg":"{ALGORITHM}","kid":"{kid}","nonce":"'.encode()
        # HMAC (RFC 2104) by hand from two prepared hashes, which are copied for each message:
        # half the time of hmac.digest() for messages of a few hundred bytes.
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def sign(self, topic: str, document: bytes) -> bytes:
        """Return ``document``, a JSON object, with the signature block as its last member."""
        nonce = random_bytes().hex().encode()
        signed = b"".join((document[:-1], self._head, nonce, _NAME))
        return b"".join((signed, self._hmac(topic, signed), _CLOSE))

    def verify(self, topic: str, data: bytes) -> None:
        """Raise RefusedError unless ``data``, as it came, was signed for ``topic`` with this key.

        Nothing is parsed.
        """
        # A block as this class writes it needs no search.
        if not (
            data.endswith(_CLOSE)
            and data.startswith(_NAME, -_AFTER_NONCE)
            and not data[-_AFTER_NONCE - _NONCE : -_AFTER_NONCE].translate(None, _HEX)
            and data.startswith(self._head, -_AFTER_NONCE - _NONCE - len(self._head))
        ):
            self._look_closely(topic, data)
        signature = data[-_SEALED : -len(_CLOSE)]
        if not hmac.compare_digest(self._hmac(topic, memoryview(data)[:-_SEALED]), signature):
            raise RefusedError(
                Reason.ALTERED,
                f"the signature of a message on {topic!r} fits neither bytes nor topic",
            )

    def code(self, purpose: str, text: bytes) -> str:
        """Return the HMAC, as hex, of what is no message; ``purpose`` is a text that is no topic."""
        return self._hmac(purpose, text).decode()

    def _look_closely(self, topic: str, data: bytes) -> None:
        """Raise RefusedError unless ``data`` ends in a signature block for this key."""
        block = _SIGNATURE.search(data, max(0, len(data) - _TAIL))
        if block is None:
            raise RefusedError(Reason.UNSIGNED, f"a message on {topic!r} ends without a signature")
        if block["alg"] != ALGORITHM.encode():
            raise RefusedError(
                Reason.ALTERED, f"a message on {topic!r} is signed with {block['alg'].decode()}"
            )
        if block["kid"] != self._kid:
            raise RefusedError(
                Reason.ALTERED,
                f"a message on {topic!r} is signed with key {block['kid'].decode()}, "
                f"not with {self._kid.decode()}",
            )

    def _hmac(self, topic: str, signed: bytes | memoryview) -> bytes:
        inner = self._inner.copy()
        inner.update(topic.encode("utf-8", "surrogatepass"))
        inner.update(b"\0")
        inner.update(signed)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest().encode()

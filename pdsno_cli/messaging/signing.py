"""The signature of a message: HMAC-SHA256 (RFC 2104) over its topic and the exact bytes sent.

A message is one JSON object. Its last member is the signature block, and the block's last member is
the signature, so that everything before that value is signed:

    topic NUL {"message_id":…,"payload":{…},"signature":{"alg":…,"kid":…,"nonce":…,"sig":"
"""

from __future__ import annotations

import hashlib
import hmac
import re

from pdsno_cli.model.ids import random_bytes
from pdsno_cli.model.refusals import Reason, RefusedError

ALGORITHM = "HMAC-SHA256"
MIN_KEY_BYTES = 16
_CLOSE = b'"}}'  # what follows the signature
_TAIL = 320  # bytes within which the signature block must fit
_BLOCK = re.compile(
    rb',"signature":\{"alg":"(?P<alg>[A-Za-z0-9-]{1,32})","kid":"(?P<kid>[0-9a-f]{8,64})",'
    rb'"nonce":"[0-9a-f]{16,64}","sig":"(?P<sig>[0-9a-f]{64})"\}\}\Z'
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
        self._key = key
        self._kid = key_id(key).encode()
        self._head = b',"signature":{"alg":"%b","kid":"%b","nonce":"' % (
            ALGORITHM.encode(),
            self._kid,
        )

    def sign(self, topic: str, document: bytes) -> bytes:
        """Return ``document``, a JSON object, with the signature block as its last member."""
        nonce = random_bytes().hex().encode()
        signed = b"".join((document[:-1], self._head, nonce, b'","sig":"'))
        return b"".join((signed, self._hmac(topic, signed), _CLOSE))

    def sign_again(self, topic: str, data: bytes) -> bytes:
        """Return a signed message, whatever key and topic it was signed for, signed for ``topic``."""
        block = _BLOCK.search(data, max(0, len(data) - _TAIL))
        return data if block is None else self.sign(topic, data[: block.start()] + b"}")

    def verify(self, topic: str, data: bytes) -> None:
        """Raise RefusedError unless ``data``, as received, was signed for ``topic`` with this key.

        Nothing is parsed.
        """
        block = _BLOCK.search(data, max(0, len(data) - _TAIL))
        if block is None:
            raise RefusedError(Reason.UNSIGNED, f"a message on {topic!r} ends without a signature")
        algorithm, kid, signature = block["alg"], block["kid"], block["sig"]
        if algorithm != ALGORITHM.encode():
            raise RefusedError(
                Reason.ALTERED, f"a message on {topic!r} is signed with {algorithm.decode()}"
            )
        if kid != self._kid:
            raise RefusedError(
                Reason.ALTERED,
                f"a message on {topic!r} is signed with key {kid.decode()}, "
                f"not with {self._kid.decode()}",
            )
        signed = memoryview(data)[: block.start("sig")]
        if not hmac.compare_digest(self._hmac(topic, signed), signature):
            raise RefusedError(
                Reason.ALTERED,
                f"the signature of a message on {topic!r} fits neither bytes nor topic",
            )

    def code(self, purpose: str, text: bytes) -> str:
        """Return the HMAC, as hex, of other data; ``purpose`` must not be a valid topic."""
        return self._hmac(purpose, text).decode()

    def _hmac(self, topic: str, signed: bytes | memoryview) -> bytes:
        data = b"".join((topic.encode("utf-8", "surrogatepass"), b"\0", signed))
        return hmac.digest(self._key, data, "sha256").hex().encode()

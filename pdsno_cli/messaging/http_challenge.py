"""Proves, for each HTTP request, which controller polls for messages.

A signed message proves its author, not who posts it: anyone who observed a heartbeat can replay it. So
messages are given only for a proof over a nonce of the receiver's. Each answer carries the nonce for
the next request, so that a proof costs no round trip. A nonce is for one controller, one minute and
one use. It is signed with a secret of the receiver's process: issued nonces cost no memory, only
used ones are remembered.

    nonces = Nonces("rc_1", Signer(key))
    nonce = nonces.issue("lc_1")
    nonces.consume("lc_1", nonce, "", prove(Signer(key), "rc_1", "lc_1", nonce, ""))  # True, once
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.messaging.signing import Signer

LIFE = 60.0  # seconds for which a nonce is valid: longer than most heartbeats
MOST_USED = 100_000  # used nonces that are remembered, each for ``LIFE``
_LONGEST = 512  # characters of an id, and of a nonce


def prove(signer: Signer, receiver: str, sender: str, nonce: str, seen: str) -> str:
    """Return the proof that ``sender`` polls ``receiver`` for messages after the cursor ``seen``."""
    # The signed bytes of a message begin with its topic, which never contains this character.
    text = f"{receiver}\n{sender}\n{nonce}\n{seen}"
    return signer.code("\x01mail", text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identity of a sender, and its key."""

    controller_id: str
    signer: Signer

    def prove(self, receiver: str, nonce: str, seen: str) -> str:
        """Return the proof to ``receiver`` for one request; empty without a nonce."""
        return prove(self.signer, receiver, self.controller_id, nonce, seen) if nonce else ""


class Nonces:
    """The nonces of one receiver; safe for use from several threads."""

    def __init__(
        self, receiver: str, signer: Signer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._receiver = receiver
        self._signer = signer
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, float] = {}  # until when, in the order of use
        self._lock = threading.Lock()

    def issue(self, sender: str) -> str:
        """Return a nonce for ``sender``, empty if that is not a valid id."""
        if not sender or len(sender) > _LONGEST:
            return ""
        until = int((self._clock() + LIFE) * 1000)
        return self._seal(sender, f"{until}.{secrets.token_hex(16)}")

    def consume(self, sender: str, nonce: str, seen: str, proof: str) -> bool:
        """Consume a nonce. Return True if it was issued to ``sender`` and the proof is valid."""
        now = self._clock()
        body = nonce.rpartition(".")[0]
        until = body.partition(".")[0]
        if len(nonce) > _LONGEST or not until.isdecimal() or int(until) <= now * 1000:
            return False
        given = self._seal(sender, body).encode("utf-8", "replace")
        if not hmac.compare_digest(given, nonce.encode("utf-8", "replace")):
            return False
        wanted = prove(self._signer, self._receiver, sender, nonce, seen)
        if not hmac.compare_digest(wanted.encode(), proof.encode("utf-8", "replace")):
            return False
        with self._lock:
            self._forget(now)
            if nonce in self._used or len(self._used) >= MOST_USED:
                return False
            self._used[nonce] = int(until) / 1000
        return True

    def _forget(self, now: float) -> None:
        """Forget used nonces that have expired."""
        while self._used:
            first = next(iter(self._used))
            if self._used[first] > now:
                return  # later ones expire about then, or later
            del self._used[first]

    def _seal(self, sender: str, body: str) -> str:
        signed = f"{body}\n{sender}".encode("utf-8", "surrogatepass")
        return f"{body}.{hmac.new(self._secret, signed, hashlib.sha256).hexdigest()[:32]}"

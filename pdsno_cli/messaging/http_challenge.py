"""Proof, fresh for each request, of who asks for mail over HTTP.

A signed message proves who sent it, not who brings it: whoever heard a heartbeat can post it again.
So mail is given only for a proof over a nonce of the receiver's. Each answer gives the nonce for the
next request, so that asking takes no round trip of its own. A nonce is for one controller, for a
minute, and for one use. It carries what it is for, signed with a secret of the receiver's process:
giving nonces out costs no memory, whoever asks for however many; only those used are remembered.

    nonces = Nonces("rc_1", Signer(key))
    nonce = nonces.give("lc_1")
    nonces.take("lc_1", nonce, "", prove(Signer(key), "rc_1", "lc_1", nonce, ""))  # True, once
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

LIFE = 60.0  # seconds for which a nonce may be used: longer than heartbeats are apart, mostly
MOST_USED = 100_000  # used nonces that are remembered, each of them for as long
_LONGEST = 512  # characters of an id and of a nonce


def prove(signer: Signer, receiver: str, sender: str, nonce: str, seen: str) -> str:
    """Return the proof that ``sender`` asks ``receiver`` for the mail after the cursor ``seen``."""
    # What is signed of a message begins with its topic, which holds no such character.
    text = f"{receiver}\n{sender}\n{nonce}\n{seen}"
    return signer.code("\x01mail", text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a sender is, and what it proves that with."""

    controller_id: str
    signer: Signer

    def prove(self, receiver: str, nonce: str, seen: str) -> str:
        """Return the proof to ``receiver`` for one request; empty without a nonce of it."""
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

    def give(self, sender: str) -> str:
        """Return a nonce for ``sender``, empty where that is no id."""
        if not sender or len(sender) > _LONGEST:
            return ""
        until = int((self._clock() + LIFE) * 1000)
        return self._seal(sender, f"{until}.{secrets.token_hex(16)}")

    def take(self, sender: str, nonce: str, seen: str, proof: str) -> bool:
        """Use a nonce up; return True if it was given to ``sender``, who proves to be that."""
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
        """Forget used nonces that nobody could use any more."""
        while self._used:
            first = next(iter(self._used))
            if self._used[first] > now:
                return  # those after it were given about then, too, or later
            del self._used[first]

    def _seal(self, sender: str, body: str) -> str:
        told = f"{body}\n{sender}".encode("utf-8", "surrogatepass")
        return f"{body}.{hmac.new(self._secret, told, hashlib.sha256).hexdigest()[:32]}"

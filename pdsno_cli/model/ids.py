"""Identifiers, random bytes and timestamps of messages: UUIDv7 (RFC 9562), RFC 3339 in UTC."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import lru_cache

RANDOM_BYTES = 16
_BATCH = 64  # random values drawn in one system call

_pool: list[bytes] = []
# A forked child must not use the same values as its parent.
os.register_at_fork(after_in_child=_pool.clear)


def random_bytes() -> bytes:
    """Return RANDOM_BYTES unpredictable bytes; from any thread.

    They are drawn in batches: each system call releases the GIL, which delays a thread that signs
    hundreds of messages.
    """
    try:
        return _pool.pop()
    except IndexError:
        drawn = os.urandom(_BATCH * RANDOM_BYTES)
        _pool.extend(
            drawn[at : at + RANDOM_BYTES] for at in range(RANDOM_BYTES, len(drawn), RANDOM_BYTES)
        )
        return drawn[:RANDOM_BYTES]


def uuid7() -> str:
    """Return a new UUIDv7 (RFC 9562 section 5.7): sortable by creation to the millisecond."""
    raw = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + random_bytes()[:10])
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def timestamp(at: float | None = None) -> str:
    """Return wall-clock time ``at`` (Unix seconds, now by default) as RFC 3339 UTC, to the ms."""
    now = time.time_ns() // 1_000_000 if at is None else round(at * 1e6) // 1000
    second, millisecond = divmod(now, 1000)
    return f"{_second(second)}.{millisecond:03d}Z"


def unix_seconds(text: str) -> float | None:
    """Return the Unix time of an RFC 3339 timestamp, None if it is invalid or has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


@lru_cache(maxsize=16)
def _second(second: int) -> str:
    """Return a second as text; cached, since consecutive messages share it."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"

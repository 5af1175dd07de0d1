"""Identifiers and timestamps of messages: UUIDv7 (RFC 9562) and RFC 3339 in UTC."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


def uuid7() -> str:
    """Return a new UUIDv7 (RFC 9562 section 5.7): sortable by creation to the millisecond."""
    raw = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def timestamp(at: float | None = None) -> str:
    """Return wall-clock time ``at`` (Unix seconds, now by default) as RFC 3339 UTC, to the ms."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"

"""Reads lines of recordings in snmpsim's format, ``OID|tag|value``, as ``.snmprec`` files hold them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

Oid = tuple[int, ...]

_TAG = re.compile(r"(\d{1,4})([xe]?)(?::.*)?", re.ASCII)


def read_lines(data: bytes) -> Iterator[tuple[Oid, int, bytes]]:
    """Yield OID, BER tag and value as text or octets of each line; one that is malformed is skipped."""
    for line in data.split(b"\n"):
        oid_text, _, rest = line.rstrip(b"\r").partition(b"|")
        tag, bar, value = rest.partition(b"|")
        oid = parse_oid(oid_text.decode("latin-1")) if bar else None
        matched = _TAG.fullmatch(tag.decode("latin-1").strip())
        if oid is None or matched is None:
            continue
        if matched[2] == "x":
            try:
                value = bytes.fromhex(value.decode("latin-1"))
            except ValueError:
                continue
        elif matched[2] == "e":
            value = _unescaped(value)
        yield oid, int(matched[1]), value


def parse_oid(text: str) -> Oid | None:
    """Return the numbers of a dotted OID, with or without a dot before it; None if it is invalid."""
    parts = text.strip().removeprefix(".").removeprefix("iso.").split(".")
    if len(parts) > 128 or not all(
        part.isascii() and part.isdigit() and len(part) < 11 for part in parts
    ):
        return None
    return tuple(map(int, parts))


def _unescaped(value: bytes) -> bytes:
    return re.sub(
        rb"\\x([0-9A-Fa-f]{2})|\\([nrt\\])",
        lambda m: (
            bytes.fromhex(m[1].decode())
            if m[1]
            else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[2], b"\\")
        ),
        value,
    )

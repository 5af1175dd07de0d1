"""Reads recordings in snmpsim's format: ``OID|tag|value`` lines, as ``.snmprec`` files hold them."""

from __future__ import annotations

import re

from pdsno_cli.discovery.identify.answers import Object, Oid, parse_oid

MAX_OBJECTS = (
    500_000  # more than any agent serves; bounds the memory of a file that is no recording
)
_TAG = re.compile(r"(\d+)([xe]?)(?::.*)?", re.ASCII)
_OBJECT_ID = 6
_OCTETS = frozenset({4, 64, 68})  # OCTET STRING, IpAddress, Opaque
_INTEGERS = frozenset({2, 65, 66, 67, 70})  # Integer32, Counter32, Gauge32, TimeTicks, Counter64


def read_recording(data: bytes) -> dict[Oid, Object]:
    """Return the objects of a recording; a line that is none, or whose value is malformed, is skipped.

    Where an OID stands twice, its first value counts, as it does for snmpsim.
    """
    found: dict[Oid, Object] = {}
    for line in data.split(b"\n"):
        oid_text, _, rest = line.rstrip(b"\r").partition(b"|")
        tag, bar, value = rest.partition(b"|")
        oid = parse_oid(oid_text.decode("latin-1"))
        if not bar or oid is None or oid in found:
            continue
        item = _object(tag.decode("latin-1").strip(), value)
        if item is not None:
            found[oid] = item
            if len(found) == MAX_OBJECTS:
                break
    return found


def _object(tag: str, value: bytes) -> Object | None:
    matched = _TAG.fullmatch(tag)
    if matched is None or len(matched[1]) > 4:
        return None
    number = int(matched[1])
    if matched[2] == "x":
        try:
            value = bytes.fromhex(value.decode("latin-1"))
        except ValueError:
            return None
    elif matched[2] == "e":
        value = _unescaped(value)
    if number == _OBJECT_ID:
        oid = parse_oid(value.decode("latin-1"))
        return None if oid is None else Object(oid)
    if number in _INTEGERS:
        return _integer(value)
    return Object(value) if number in _OCTETS else None


def _integer(value: bytes) -> Object | None:
    """Return a number; text where a number should be is kept as text, for agents do send it."""
    text = value.decode("latin-1").strip()
    if re.fullmatch(r"-?\d{1,20}", text, re.ASCII):
        return Object(int(text))
    return Object(value) if text else None


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

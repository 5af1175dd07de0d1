"""Reads recordings in snmpsim's format for what they say of a device."""

from __future__ import annotations

import re

from pdsno_cli.discovery.identify.answers import Object, Oid
from pdsno_cli.model.snmprec import parse_oid, read_lines

MAX_OBJECTS = (
    500_000  # more than any agent serves; bounds the memory of a file that is no recording
)
_OBJECT_ID = 6
_OCTETS = frozenset({4, 64, 68})  # OCTET STRING, IpAddress, Opaque
_INTEGERS = frozenset({2, 65, 66, 67, 70})  # Integer32, Counter32, Gauge32, TimeTicks, Counter64


def read_recording(data: bytes) -> dict[Oid, Object]:
    """Return the objects of a recording; a line that is none, or whose value is malformed, is skipped.

    Where an OID stands twice, its first value counts, as it does for snmpsim.
    """
    found: dict[Oid, Object] = {}
    for oid, tag, value in read_lines(data):
        if oid in found:
            continue
        item = _object(tag, value)
        if item is not None:
            found[oid] = item
            if len(found) == MAX_OBJECTS:
                break
    return found


def _object(tag: int, value: bytes) -> Object | None:
    if tag == _OBJECT_ID:
        oid = parse_oid(value.decode("latin-1"))
        return None if oid is None else Object(oid)
    if tag in _INTEGERS:
        return _integer(value)
    return Object(value) if tag in _OCTETS else None


def _integer(value: bytes) -> Object | None:
    """Return a number; text where a number should be is kept as text, for agents do send it."""
    text = value.decode("latin-1").strip()
    if re.fullmatch(r"-?\d{1,20}", text, re.ASCII):
        return Object(int(text))
    return Object(value) if text else None

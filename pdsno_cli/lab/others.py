"""Recordings of others that a lab's agents play as they are, from the folder that a topology names.

An object whose value has no encoding is left out: a real agent would not have served it either.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pdsno_cli.lab import ber
from pdsno_cli.lab.ber import Oid
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.snmprec import parse_oid, read_lines

if TYPE_CHECKING:
    from pathlib import Path

SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
_MAX_BYTES = 64 << 20  # of a file; a chassis with all its tables takes ten megabytes
_OPAQUE = 0x44
_NAME_CHARACTERS = 64
_SIGNED = range(-(1 << 31), 1 << 31)  # INTEGER (RFC 2578); the others are not negative
_UNSIGNED = {ber.COUNTER: 32, ber.GAUGE: 32, ber.TICKS: 32, ber.COUNTER64: 64}


def recordings(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return path and sysName of each ``*.snmprec`` file of a folder, in the order of their names.

    The sysName of a file without one is the file's own. LabError if there is none, or one cannot be
    read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".snmprec")
    except OSError as exc:
        raise LabError(f"cannot read the lab's recordings: {folder}: {exc.strerror}") from exc
    if not paths:
        raise LabError(f"the lab's recordings: {folder} has no *.snmprec file")
    return tuple((str(path), _name(_read(path)) or path.stem) for path in paths)


def read_objects(path: Path) -> dict[Oid, bytes]:
    """Return the objects of a recording in BER; LabError if the file cannot be read."""
    found: dict[Oid, bytes] = {}
    for oid, tag, value in read_lines(_read(path)):
        encoded = _encoded(tag, value)
        if encoded is not None:
            found.setdefault(oid, encoded)
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise LabError(f"cannot read the recording {path}: {exc.strerror}") from exc
    if len(data) > _MAX_BYTES:
        raise LabError(f"the recording {path} is larger than {_MAX_BYTES >> 20} MB")
    return data


def _name(data: bytes) -> str:
    values = (value for oid, _, value in read_lines(data) if oid == SYS_NAME)
    text = next(values, b"").decode(errors="replace")
    return "".join(char for char in text if char.isprintable())[:_NAME_CHARACTERS].strip()


def _encoded(tag: int, value: bytes) -> bytes | None:
    """Return a value in BER, None if it has none of this type."""
    text = value.decode("latin-1").strip()
    if tag in {ber.OCTETS, _OPAQUE}:
        return ber.tlv(tag, value)
    if tag == ber.OBJECT_ID:
        oid = parse_oid(text)
        return ber.object_id(oid) if oid is not None and len(oid) > 1 else None
    try:
        if tag == ber.IP_ADDRESS:
            packed = value if len(value) == 4 else ipaddress.IPv4Address(text).packed
            return ber.tlv(tag, packed)
        number = int(text)
    except ValueError:
        return None
    bits = _UNSIGNED.get(tag)
    fits = number in _SIGNED if tag == ber.INTEGER else bits is not None and 0 <= number < 1 << bits
    return ber.number(number, tag) if fits else None

"""Reads the lab's own recordings, snmpsim's ``OID|tag|value`` lines, with the types of their values.

``discovery.identify.recording`` reads strangers' files for what they say; an agent that plays one back
needs the encoded values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pdsno_cli.lab import ber
from pdsno_cli.lab.ber import Oid

FOLDER = Path(__file__).with_name("recordings")

_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_INTERFACE_GROUPS: tuple[Oid, ...] = ((1, 3, 6, 1, 2, 1, 2), (1, 3, 6, 1, 2, 1, 31))
_ETHERNET, _LOOPBACK = 6, 24  # IANAifType
_HIGH_SPEED: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15)


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a model: ``speed`` is in Mbit/s, ``kind`` its IANAifType."""

    name: str
    kind: int
    speed: int

    @property
    def wired(self) -> bool:
        """Return True if a cable fits, so that it has a MAC."""
        return self.kind == _ETHERNET


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a recording holds: ports in the order of ifIndex, and all objects that are not theirs.

    Of an object it keeps tag and content. ``hostname``, ``serial`` and ``location`` are the texts
    that stand for one device, and differ from one to the next in a lab.
    """

    ports: tuple[Port, ...]
    objects: dict[Oid, tuple[int, bytes]]
    hostname: str
    serial: str
    location: str


@cache
def names() -> tuple[str, ...]:
    """Return the names of all recordings."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.snmprec")))


@cache
def load(name: str) -> Recording:
    """Return the recording of a name."""
    objects = {}
    for line in (FOLDER / f"{name}.snmprec").read_bytes().splitlines():
        oid, tag, value = line.split(b"|", 2)
        objects[tuple(int(part) for part in oid.split(b"."))] = _content(tag, value)
    facts = _facts()[name]
    return Recording(
        ports=_ports(objects),
        objects={
            oid: item
            for oid, item in objects.items()
            if not any(oid[: len(group)] == group for group in _INTERFACE_GROUPS)
        },
        hostname=facts["hostname"],
        serial=facts.get("serial", ""),
        location=facts["location"],
    )


@cache
def _facts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    return found


def _content(tag: bytes, value: bytes) -> tuple[int, bytes]:
    """Return tag and content: an integer as text, an object identifier in BER."""
    number = int(tag.rstrip(b"x"))
    if tag.endswith(b"x"):
        return number, bytes.fromhex(value.decode())
    if number == ber.OBJECT_ID:
        return number, ber.object_id(tuple(int(part) for part in value.split(b".")))[2:]
    return number, value


def encode(tag: int, content: bytes) -> bytes:
    """Return a value in BER."""
    if tag in {ber.OCTETS, ber.OBJECT_ID, ber.IP_ADDRESS}:
        return ber.tlv(tag, content)
    return ber.number(int(content), tag)


def _ports(objects: dict[Oid, tuple[int, bytes]]) -> tuple[Port, ...]:
    indices = sorted(oid[-1] for oid in objects if oid[:-1] == (*_IF_ENTRY, 1))

    def value(column: Oid, index: int) -> bytes:
        return objects[*column, index][1]

    return tuple(
        Port(
            name=value((*_IF_ENTRY, 2), index).decode(),
            kind=int(value((*_IF_ENTRY, 3), index)),
            speed=int(value(_HIGH_SPEED, index)),
        )
        for index in indices
    )

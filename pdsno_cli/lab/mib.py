"""The objects of a lab device's agent: the system group and ifTable (RFC 3418, RFC 2863).

Values are tagged with the name of their SMI type, so that this module needs no codec.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pdsno_cli.lab.plan import LabDevice

Oid = tuple[int, ...]
Syntax = Literal["string", "oid", "integer", "gauge", "counter", "ticks"]

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_INTERFACES: Oid = (1, 3, 6, 1, 2, 1, 2)
SYS_UP_TIME: Oid = (*_SYSTEM, 3, 0)
_ETHERNET_CSMACD, _LOOPBACK = 6, 24  # IANAifType
_UP = 1


@dataclass(frozen=True, slots=True)
class Value:
    """One object's value: bytes, a dotted OID's numbers or an integer, as ``syntax`` says."""

    syntax: Syntax
    value: bytes | Oid | int


class Mib:
    """The objects of one device in lexicographic order."""

    def __init__(self, device: LabDevice) -> None:
        self._objects = dict(sorted(_objects(device).items()))
        self._order = tuple(self._objects)

    def get(self, oid: Oid) -> Value | None:
        """Return the object at ``oid``, or None."""
        return self._objects.get(oid)

    def after(self, oid: Oid) -> Oid | None:
        """Return the OID that follows ``oid``, or None at the end."""
        index = bisect_right(self._order, oid)
        return self._order[index] if index < len(self._order) else None


def _objects(device: LabDevice) -> dict[Oid, Value]:
    system: dict[Oid, Value] = {
        (1, 0): Value("string", device.sys_descr.encode()),
        (2, 0): Value("oid", tuple(int(part) for part in device.sys_object_id.split("."))),
        (3, 0): Value("ticks", 0),  # the agent puts the time since its start here
        (4, 0): Value("string", b"noc@example.net"),
        (5, 0): Value("string", device.sys_name.encode()),
        (6, 0): Value("string", b"lab"),
        (7, 0): Value("integer", 78),
    }
    mac = bytes.fromhex(device.mac.replace(":", ""))
    interfaces: dict[Oid, Value] = {(1, 0): Value("integer", 3)}
    rows = (
        (1, b"lo0", _LOOPBACK, 0, b""),
        (2, b"eth0", _ETHERNET_CSMACD, 1_000_000_000, mac),
        (3, b"eth1", _ETHERNET_CSMACD, 1_000_000_000, b"\x06" + mac[1:]),
    )
    for index, name, kind, speed, address in rows:
        columns: tuple[tuple[int, Value], ...] = (
            (1, Value("integer", index)),
            (2, Value("string", name)),
            (3, Value("integer", kind)),
            (4, Value("integer", 1500)),
            (5, Value("gauge", speed)),
            (6, Value("string", address)),
            (7, Value("integer", _UP)),
            (8, Value("integer", _UP)),
            (10, Value("counter", 0)),
            (16, Value("counter", 0)),
        )
        interfaces |= {(2, 1, column, index): value for column, value in columns}
    return {(*_SYSTEM, *oid): value for oid, value in system.items()} | {
        (*_INTERFACES, *oid): value for oid, value in interfaces.items()
    }

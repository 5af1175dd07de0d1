"""Turns rows into the types of the model and back; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.messages import Event

if TYPE_CHECKING:
    import sqlalchemy as sa

Row = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_strings = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """A device with its history; times are Unix seconds, ``version`` rises with every change."""

    local_id: str
    region: str
    device: Device
    version: int
    active: bool
    first_seen: float
    last_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerRecord:
    """A controller as its status last said; ``state`` is ``online`` or ``offline``."""

    controller_id: str
    role: str
    region: str | None
    state: str
    epoch: int
    connection: int
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event with who told it and when it was recorded."""

    at: float
    sender: str
    event: Event


class _Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a local controller remembers of a device beside the device itself."""

    missed: int = 0
    silent: dict[str, int] = {}
    mac_source: str | None = None


_memory = msgspec.json.Decoder(_Memory).decode


def text(value: object) -> str:
    """Return ``value`` as JSON text."""
    return _encode(value).decode()


def device_row(local_id: str, region: str, device: Device, *, at: float) -> Row:
    """Return the row of a device that is present."""
    return {
        "local_id": local_id,
        "device_id": device.device_id,
        "region": region,
        "addresses": text(device.addresses),
        "protocols": text(device.protocols),
        "mac": device.mac,
        "sys_name": device.sys_name,
        "sys_descr": device.sys_descr,
        "sys_object_id": device.sys_object_id,
        "uptime": device.uptime,
        "version": 1,
        "active": True,
        "first_seen": at,
        "last_seen": at,
        "memory": None,
    }


def known_row(local_id: str, region: str, known: Known, *, seen: Collection[str], at: float) -> Row:
    """Return the row of a device as its local controller knows it; ``seen`` are ids."""
    memory = _Memory(missed=known.missed, silent=known.silent, mac_source=known.mac_source)
    row = device_row(local_id, region, known.device, at=at)
    # A device that was not seen keeps the time it has.
    last_seen = at if known.device.device_id in seen else 0.0
    return row | {"active": known.active, "last_seen": last_seen, "memory": text(memory)}


def device(row: sa.Row[Any]) -> Device:
    """Return the device of a row."""
    return Device(
        device_id=row.device_id,
        addresses=_strings(row.addresses),
        protocols=_strings(row.protocols),
        mac=row.mac,
        sys_name=row.sys_name,
        sys_descr=row.sys_descr,
        sys_object_id=row.sys_object_id,
        uptime=row.uptime,
    )


def known(row: sa.Row[Any]) -> Known:
    """Return a device as its local controller knows it."""
    memory = _memory(row.memory or b"{}")
    return Known(
        device=device(row),
        active=row.active,
        missed=memory.missed,
        silent=memory.silent,
        mac_source=memory.mac_source,
    )


def device_record(row: sa.Row[Any]) -> DeviceRecord:
    """Return a device with its history."""
    return DeviceRecord(
        local_id=row.local_id,
        region=row.region,
        device=device(row),
        version=row.version,
        active=row.active,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
    )

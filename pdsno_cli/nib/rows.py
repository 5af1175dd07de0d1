"""Converts rows to the types of the model and back; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.ids import timestamp, unix_seconds
from pdsno_cli.model.messages import Event, LocalCycle, PolicyDocument, RegionDevice

if TYPE_CHECKING:
    import sqlalchemy as sa

DeviceRow = tuple[Any, ...]  # the values of a device in the order of the table's columns

_encode = msgspec.json.Encoder().encode
_document = msgspec.json.Decoder(PolicyDocument).decode
_strings = msgspec.json.Decoder(tuple[str, ...]).decode
_extra = msgspec.json.Decoder(dict[str, str]).decode


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
    """A controller as of its last status; ``state`` is ``online`` or ``offline``.

    ``seq`` is the number of a recent heartbeat.
    """

    controller_id: str
    role: str
    region: str | None
    state: str
    epoch: int
    connection: int
    seq: int
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """A policy in force since a time; ``instead_of`` is the file's, where an operator replaced it."""

    document: PolicyDocument
    since: float
    instead_of: PolicyDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRecord:
    """The version of a scope's policy that a controller announced as applied, and when."""

    controller_id: str
    scope: str
    version: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event with its number, its sender and the time at which it was recorded."""

    id: int
    at: float
    sender: str
    event: Event


class _Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a device between cycles, kept by its local controller."""

    missed: int = 0
    silent: dict[str, int] = {}
    mac_source: str | None = None
    aliases: tuple[str, ...] = ()
    flaps: int = 0
    calm: int = 0


_memory = msgspec.json.Decoder(_Memory).decode


def text(value: object) -> str:
    """Return ``value`` as JSON text."""
    return _encode(value).decode()


# Lists of protocols are few; lists of addresses are not.
@lru_cache(maxsize=64)
def _protocols(names: tuple[str, ...]) -> str:
    return text(names)


@lru_cache(maxsize=64)
def _names(protocols: str) -> tuple[str, ...]:
    return _strings(protocols)


def device_row(local_id: str, region: str, device: Device, *, at: float) -> DeviceRow:
    """Return the row of a device that is present."""
    return _device_row(local_id, region, device, True, at, at, None)


def known_row(
    local_id: str, region: str, known: Known, *, seen: Collection[str], at: float
) -> DeviceRow:
    """Return the row of a device as its local controller knows it; ``seen`` holds device ids."""
    memory = _Memory(
        missed=known.missed,
        silent=known.silent,
        mac_source=known.mac_source,
        aliases=known.aliases,
        flaps=known.flaps,
        calm=known.calm,
    )
    # The statement keeps the later time.
    last = at if known.device.device_id in seen else 0.0
    return _device_row(local_id, region, known.device, known.active, at, last, text(memory))


def cycle_row(cycle: LocalCycle, region: str, at: float) -> tuple[object, ...]:
    """Return the row of a local controller's cycle."""
    seen = None if cycle.seen_at is None else unix_seconds(cycle.seen_at)
    silent = None if seen is None else text(cycle.silent)
    seen = None if seen is None else min(seen, at)  # the sender's clock may be ahead
    return cycle.local_id, region, cycle.epoch, cycle.cycle, cycle.active, at, seen, silent


def local_cycle(row: sa.Row[Any]) -> LocalCycle:
    """Return the cycle of a row."""
    return LocalCycle(
        local_id=row.local_id,
        epoch=row.epoch,
        cycle=row.cycle,
        active=row.active,
        seen_at=None if row.seen_at is None else timestamp(row.seen_at),
        silent=() if row.silent is None else _strings(row.silent),
    )


def seen_since(record: DeviceRecord, cycle: LocalCycle | None) -> DeviceRecord:
    """Return a device with the times of the last cycle, in which it was seen without any change."""
    if cycle is None or not record.active or record.device.device_id in cycle.silent:
        return record
    seen = unix_seconds(cycle.seen_at or "")
    if seen is None or seen <= record.last_seen:
        return record
    device, passed = record.device, seen - record.last_seen
    if device.uptime is not None:
        device = msgspec.structs.replace(device, uptime=round(device.uptime + passed, 2))
    return replace(record, device=device, last_seen=seen)


def event_row(event: Event, *, sender: str, at: float) -> tuple[object, ...]:
    """Return the row of an event; the table numbers it."""
    return (
        at,
        sender,
        event.event,
        event.severity,
        event.subject,
        event.region,
        text(event.detail),
    )


def _device_row(  # noqa: PLR0917 - keywords cost, and this is called for every device that comes
    local_id: str,
    region: str,
    device: Device,
    active: bool,
    first: float,
    last: float,
    memory: str | None,
) -> DeviceRow:
    """Return the values of a device in the order of the table's columns."""
    return (
        local_id,
        device.device_id,
        region,
        text(device.addresses),
        _protocols(device.protocols),
        device.mac,
        device.sys_name,
        device.sys_descr,
        device.sys_object_id,
        device.uptime,
        1,
        active,
        first,
        last,
        memory,
        text(device.extra) if device.extra else None,
    )


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
        extra=_extra(row.extra) if row.extra is not None else msgspec.UNSET,
    )


def region_device(  # noqa: PLR0917 - keywords cost, and this is called for every device there is
    local_id: str,
    device_id: str,
    addresses: str,
    protocols: str,
    mac: str | None,
    sys_name: str | None,
    sys_descr: str | None,
    sys_object_id: str | None,
    uptime: float | None,
    extra: str | None,
) -> RegionDevice:
    """Return a device with its local controller, from the values of a row in this order."""
    device = Device(
        device_id=device_id,
        addresses=_strings(addresses),
        protocols=_names(protocols),
        mac=mac,
        sys_name=sys_name,
        sys_descr=sys_descr,
        sys_object_id=sys_object_id,
        uptime=uptime,
        extra=_extra(extra) if extra is not None else msgspec.UNSET,
    )
    return RegionDevice(local_id=local_id, device=device)


def known(row: sa.Row[Any]) -> Known:
    """Return a device as its local controller knows it."""
    memory = _memory(row.memory or b"{}")
    return Known(
        device=device(row),
        active=row.active,
        missed=memory.missed,
        silent=memory.silent,
        mac_source=memory.mac_source,
        aliases=memory.aliases,
        flaps=memory.flaps,
        calm=memory.calm,
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


def policy_record(row: sa.Row[Any]) -> PolicyRecord:
    """Return the policy of a row."""
    return PolicyRecord(
        document=_document(row.document),
        since=row.received_at,
        instead_of=None if row.instead_of is None else _document(row.instead_of),
    )

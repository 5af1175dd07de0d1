"""The events of a discovery cycle: what an operator wants to know of its devices; pure.

A cycle announces at most ``MOST`` events of a kind; of more it names the number in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Event

if TYPE_CHECKING:
    from pdsno_cli.discovery.changes import Changes
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.model.devices import Device

MOST = 10

_KINDS: dict[str, tuple[str, Literal["info", "warning"]]] = {
    "rebooted": ("device_rebooted", "info"),
    "moved": ("device_moved", "warning"),
    "refused": ("credential_refused", "warning"),
    "flapping": ("device_flapping", "warning"),
    "conflict": ("address_conflict", "warning"),
}


Condition = tuple[str, str]  # what is the matter, and the device or address that it is about


def cycle_events(
    changes: Changes,
    result: SweepResult,
    local_id: str,
    region: str,
    *,
    standing: Container[Condition] = (),
) -> Iterator[Event]:
    """Yield the events of a cycle of ``local_id``, those of several devices in order of address.

    ``standing`` are the conditions of the cycle before, which are not announced again.
    """
    devices = {device.device_id: device for device in changes.active}
    found: dict[str, list[Event]] = defaultdict(list)
    for change in changes.history:
        if change.kind in _KINDS and change.device_id in devices:
            fields = {name: list(values) for name, values in change.fields.items()}
            found[change.kind].append(
                _event(change.kind, devices[change.device_id], local_id, region, fields)
            )
    for (kind, what), (device, fields) in conditions(changes, result).items():
        if (kind, what) not in standing:
            found[kind].append(_event(kind, device, local_id, region, fields))
    found["flapping"] = [
        _event("flapping", devices[device_id], local_id, region, {})
        for device_id in changes.flapping
    ]
    for kind, events in found.items():
        yield from _bounded(kind, events, local_id, region)
    if changes.held:
        yield Event(
            event="mass_loss_held",
            severity="warning",
            subject=local_id,
            region=region,
            detail={"devices": len(changes.held), "present": len(devices)},
        )


def conditions(
    changes: Changes, result: SweepResult
) -> dict[Condition, tuple[Device, dict[str, list[str]]]]:
    """Return what is the matter with devices for as long as it lasts, and the fields to say so."""
    found: dict[Condition, tuple[Device, dict[str, list[str]]]] = {}
    refused = set(result.refused)
    for device in changes.active:
        if "snmp" in device.protocols and refused.intersection(device.addresses):
            found["refused", device.device_id] = device, {}
        for address in device.addresses:
            if address in result.conflicts:
                macs = [*result.conflicts[address]]
                found["conflict", address] = device, {"address": [address], "macs": macs}
    return found


def _event(
    kind: str, device: Device, local_id: str, region: str, fields: dict[str, list[str]]
) -> Event:
    name, severity = _KINDS[kind]
    return Event(
        event=name,
        severity=severity,
        subject=device.device_id,
        region=region,
        detail={
            "controller": local_id,
            "address": device.addresses[0],
            "name": device.sys_name or "",
            **fields,
        },
    )


def _bounded(kind: str, events: list[Event], local_id: str, region: str) -> Iterable[Event]:
    if len(events) <= MOST:
        return events
    name, severity = _KINDS[kind]
    rest = Event(
        event=name,
        severity=severity,
        subject=local_id,
        region=region,
        detail={"further_devices": len(events) - MOST},
    )
    return [*events[:MOST], rest]

"""Finds what it means that a MAC is at several local controllers of a region; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pdsno_cli.model.messages import Event, RegionDevice

if TYPE_CHECKING:
    from pdsno_cli.model.devices import Device

# Fields of which two equal ones say that two devices are one, however many addresses it has.
_SAME = ("engine_id", "serial")


def mac_events(
    arrived: Iterable[RegionDevice],
    present: Mapping[str, Iterable[RegionDevice]],
    absent: Mapping[str, Iterable[RegionDevice]],
    region: str,
) -> Iterator[Event]:
    """Yield the events about devices that are new at their local controller.

    ``present`` and ``absent`` are the active and inactive devices of the region, by MAC. A MAC that
    is gone elsewhere has moved here; one that is present elsewhere, too, is a conflict, unless both
    are one device that is reached in two ways.
    """
    told: set[str] = set()
    for item in arrived:
        mac = item.device.mac
        if mac is None or mac in told:
            continue
        others = _elsewhere(present.get(mac, ()), item.local_id)
        former = _elsewhere(absent.get(mac, ()), item.local_id)
        if any(not same_device(item.device, other.device) for other in others):
            told.add(mac)
            places = sorted({item.local_id, *(other.local_id for other in others)})
            addresses = sorted(
                {*item.device.addresses, *(a for other in others for a in other.device.addresses)}
            )
            yield Event(
                event="mac_at_two_locals",
                severity="warning",
                subject=mac,
                region=region,
                detail={"controllers": places, "addresses": addresses},
            )
        elif former and not others:
            told.add(mac)
            yield Event(
                event="device_moved",
                severity="warning",
                subject=item.device.device_id,
                region=region,
                detail={
                    "from": sorted({other.local_id for other in former}),
                    "to": item.local_id,
                    "address": item.device.addresses[0],
                },
            )


def same_device(one: Device, other: Device) -> bool:
    """Return True if what two devices say of themselves makes them one."""
    first, second = one.extra or {}, other.extra or {}
    if any(first.get(name) and first.get(name) == second.get(name) for name in _SAME):
        return True
    known = one.sys_name is not None and one.sys_object_id is not None
    return known and (one.sys_name, one.sys_object_id) == (other.sys_name, other.sys_object_id)


def _elsewhere(items: Iterable[RegionDevice], local_id: str) -> list[RegionDevice]:
    return [item for item in items if item.local_id != local_id]

"""Joins the details that a sweep read to the devices that they belong to; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from pdsno_cli.model.details import Detail
from pdsno_cli.model.devices import Device, Observation
from pdsno_cli.model.probes import DETAIL


def with_digests(
    observations: Iterable[Observation], details: Mapping[str, Detail]
) -> tuple[Observation, ...]:
    """Return the observations with the digest of the detail that was read at their addresses.

    Those without one keep the digest of their device: see ``fields.lasting``.
    """
    if not details:
        return tuple(observations)
    return tuple(_with_digest(item, details) for item in observations)


def _with_digest(item: Observation, details: Mapping[str, Detail]) -> Observation:
    detail = _detail_of(item.addresses, details)
    if detail is None:
        return item
    return replace(item, extra={**(item.extra or {}), DETAIL: detail.digest})


def by_device(devices: Iterable[Device], details: Mapping[str, Detail]) -> dict[str, Detail]:
    """Return the details of present devices that were read in this sweep, by device id."""
    found = ((device, _detail_of(device.addresses, details)) for device in devices)
    return {
        device.device_id: detail
        for device, detail in found
        if detail is not None and (device.extra or {}).get(DETAIL) == detail.digest
    }


def _detail_of(addresses: Iterable[str], details: Mapping[str, Detail]) -> Detail | None:
    """Return the detail read at the first of the addresses at which one was read."""
    return next((details[address] for address in addresses if address in details), None)

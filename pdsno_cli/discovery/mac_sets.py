"""Joins devices by the MACs of their interfaces, once those are read; pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from pdsno_cli.model.details import Detail
from pdsno_cli.model.devices import Known


def with_interface_macs(
    known: Mapping[str, Known], details: Mapping[str, Detail]
) -> dict[str, Known]:
    """Return the known devices, each with those MACs of its interfaces that stand for others.

    A device without an agent of another name, whose MAC is that of an interface of one whose detail
    was read, is that one: from the next cycle on the MAC leads there.
    """
    by_mac = {item.device.mac: key for key, item in known.items() if item.device.mac is not None}
    result = dict(known)
    for key, detail in details.items():
        item = known.get(key)
        if item is None:
            continue
        macs = {interface.mac for interface in detail.interfaces} & by_mac.keys()
        found = {
            mac
            for mac in macs
            if mac is not None
            and by_mac[mac] != key
            and known[by_mac[mac]].device.sys_name in {None, item.device.sys_name}
        }
        if not found.issubset(item.aliases):
            result[key] = replace(item, aliases=tuple(sorted(found.union(item.aliases))))
    return result

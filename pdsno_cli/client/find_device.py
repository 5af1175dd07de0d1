"""Finds a device by what a person knows of it: an address, a MAC, a name, a device id."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.model.address_numbers import canonical
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pdsno_cli.discovery.physical.links import PhysicalMap
    from pdsno_cli.discovery.physical.nodes import Node
    from pdsno_cli.nib.rows import DeviceRecord

Item = TypeVar("Item")
_LISTED = 5  # devices that an error lists


class _Names(NamedTuple):
    """All that a device may be called by; ``where`` is its local controller."""

    addresses: Sequence[str]
    macs: Iterable[str]
    ids: Iterable[str]
    sys_names: Iterable[str]
    where: str


def find_record(records: Sequence[DeviceRecord], wanted: str) -> DeviceRecord:
    """Return the device of an inventory that ``wanted`` names; UsageError for none, or for several.

    An inactive device gives way to an active one of the same address or name.
    """
    found = _matching(records, wanted, _of_record)
    found = [item for item in found if item.active] or found
    if not found:
        raise _missing(records, wanted, _of_record)
    return _only(found, wanted, _of_record, "a local controller with --of")


def find_node(map_: PhysicalMap, wanted: str) -> Node | None:
    """Return the device of a map that ``wanted`` names; UsageError for several.

    None for a MAC of no device, or of several: a switch may have learned it all the same. Any other
    name of none is a UsageError.
    """
    found = _matching(map_.nodes, wanted, _of_node)
    if len(found) != 1 and normalise_mac(wanted) is not None:
        return None
    if not found:
        raise _missing(map_.nodes, wanted, _of_node)
    return _only(found, wanted, _of_node, "a region with --region")


def _missing(items: Iterable[Item], wanted: str, names: Callable[[Item], _Names]) -> UsageError:
    """Return the error for a device that is not there, with the nearest name or address."""
    known = [name for item in items for name in (*names(item).sys_names, *names(item).addresses)]
    hint = did_you_mean(wanted, known)
    return UsageError(f"no device {wanted!r}: {hint or 'pdsno devices --all shows them'}")


def _only(
    found: Sequence[Item], wanted: str, names: Callable[[Item], _Names], narrower: str
) -> Item:
    if len(found) == 1:
        return found[0]
    all_names = [names(item) for item in found[:_LISTED]]
    listed = ", ".join(f"{next(iter(one.addresses), '-')} ({one.where})" for one in all_names)
    more = ", …" if len(found) > _LISTED else ""
    raise UsageError(
        f"{len(found)} devices are {wanted!r}: {listed}{more}; name another of their "
        f"addresses, the device id, or {narrower}"
    )


def _matching(
    items: Iterable[Item], wanted: str, names: Callable[[Item], _Names]
) -> Sequence[Item]:
    """Return the devices of an address, MAC or id, else those of a name, without its domain at last."""
    called = [(item, names(item)) for item in items]
    mac, name = normalise_mac(wanted), wanted.casefold()
    with suppress(ValueError):  # an IPv6 address may be written in several forms
        wanted = canonical(wanted)
    exact = [
        item
        for item, one in called
        if wanted in one.addresses or wanted in one.ids or (mac is not None and mac in one.macs)
    ]
    if exact:
        return exact
    folded = [(item, [text.casefold() for text in one.sys_names]) for item, one in called]
    return [item for item, own in folded if name in own] or [
        item for item, own in folded if name in {text.partition(".")[0] for text in own}
    ]


def _of_record(item: DeviceRecord) -> _Names:
    device = item.device
    return _Names(
        addresses=device.addresses,
        macs=(device.mac,) if device.mac is not None else (),
        ids=(device.device_id,),
        sys_names=(device.sys_name,) if device.sys_name else (),
        where=item.local_id,
    )


def _of_node(node: Node) -> _Names:
    return _Names(
        addresses=node.addresses,
        macs=node.macs,
        ids=[item.device.device_id for item in node.found],
        sys_names=() if node.name in node.addresses else (node.name,),
        where=", ".join(item.local_id for item in node.found) or "heard of only",
    )

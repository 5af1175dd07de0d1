"""Tells which known device each observation of a cycle is; pure.

By MAC first, then by address where a MAC is unknown on either side. An interface's MAC (ARP) and
the one that an agent names first (SNMP) may differ for one device, so only MACs learnt by the
same protocol contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from pdsno_cli.discovery.merge import sort_addresses, sort_protocols
from pdsno_cli.model.devices import Device, Known, Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """All that was seen of one device in one cycle.

    ``device_id`` is None for a stranger. ``confirmed`` are the addresses that answered as this
    device: all of them, or only those with its MAC where that was seen. ``lost`` are addresses
    the device had that answered as another.
    """

    device_id: str | None
    observation: Observation
    confirmed: tuple[str, ...]
    lost: frozenset[str] = frozenset()


def new_id(seen: Observation, taken: Mapping[str, Known]) -> str:
    """Return the id that a device gets at first sight, and keeps for life."""
    base = f"mac:{seen.mac}" if seen.mac is not None else f"ip:{seen.addresses[0]}"
    # A device found by address may have come by this MAC since; a number tells the two apart.
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}#{number}"
    return name


def match(
    known: Mapping[str, Known], observations: Sequence[Observation], missed_cycles: int
) -> tuple[list[Match], frozenset[str]]:
    """Return the matches, and the known ids that turn out to be another known device.

    Such an id never had a MAC, and every address it had has answered as somebody else.
    """
    groups, strangers = _group(known, observations, missed_cycles)
    seen = {address for item in observations for address in item.addresses}
    matches = []
    for device_id, items in groups.items():
        own = {address for item in items for address in item.addresses}
        matches.append(
            Match(
                device_id=device_id,
                observation=_combine(items),
                confirmed=_confirmed(items),
                lost=frozenset(known[device_id].device.addresses) & (seen - own),
            )
        )
    matches += [
        Match(device_id=None, observation=item, confirmed=item.addresses) for item in strangers
    ]
    absorbed = frozenset(
        key
        for key, item in known.items()
        if key not in groups and item.device.mac is None and seen.issuperset(item.device.addresses)
    )
    return matches, absorbed


def _group(
    known: Mapping[str, Known], observations: Sequence[Observation], missed_cycles: int
) -> tuple[dict[str, list[Observation]], list[Observation]]:
    """Return the observations of each known device, those with a MAC first, and the strangers'."""
    by_mac = {
        item.device.mac: key
        for key, item in sorted(known.items(), key=lambda pair: (pair[1].active, pair[0]))
        if item.device.mac is not None
    }
    by_address: dict[str, list[str]] = defaultdict(list)
    for key, item in known.items():
        for address in item.device.addresses:
            by_address[address].append(key)
    groups: dict[str, list[Observation]] = defaultdict(list)
    rest = []
    for seen in observations:
        owner = by_mac.get(seen.mac or "")
        if owner is None:
            rest.append(seen)
        elif _another(known[owner].device, seen, (known[k].device for k in _at(by_address, seen))):
            rest.append(replace(seen, mac=None, mac_source=None))
        else:
            groups[owner].append(seen)
    strangers = []
    for seen in sorted(rest, key=lambda item: item.mac is None):
        candidates = [(address, key) for address in seen.addresses for key in by_address[address]]
        fitting = [
            (_rank(known[key], address, key), key)
            for address, key in candidates
            if _fits(known[key], groups.get(key, ()), seen, address, missed_cycles)
        ]
        if fitting:
            groups[min(fitting)[1]].append(seen)
        else:
            strangers.append(seen)
    return dict(groups), strangers


def _at(by_address: Mapping[str, Sequence[str]], seen: Observation) -> Iterator[str]:
    for address in seen.addresses:
        yield from by_address.get(address, ())


def _another(owner: Device, seen: Observation, there: Iterable[Device]) -> bool:
    """Whether an observation with the MAC of ``owner`` is of another device that shares it.

    While two agents share one that is nobody's, one alone may answer in a cycle: it is known by
    its name at its address.
    """
    return (
        owner.sys_name != seen.sys_name
        and owner.sys_name is not None
        and seen.sys_name is not None
        and not set(owner.addresses) & set(seen.addresses)
        and any(device.sys_name == seen.sys_name for device in there)
    )


def _rank(item: Known, address: str, key: str) -> tuple[bool, int, int, str]:
    """Order the devices that an address may mean: the one that answered there last comes first."""
    return (not item.active, item.missed, item.silent.get(address, 0), key)


def _fits(
    item: Known,
    group: Iterable[Observation],
    seen: Observation,
    address: str,
    missed_cycles: int,
) -> bool:
    """Whether an observation at an address of ``item`` may be that device."""
    if seen.mac is None:
        # The device itself answers elsewhere: here it is believed for some cycles, not for ever.
        elsewhere = any(other.mac is not None for other in group)
        return not elsewhere or item.silent.get(address, 0) + 1 < missed_cycles
    if _contradict(item.device.mac, item.mac_source, seen):
        return False
    return not any(_contradict(other.mac, other.mac_source, seen) for other in group)


def _contradict(mac: str | None, source: str | None, seen: Observation) -> bool:
    if mac is None or seen.mac is None or mac == seen.mac:
        return False
    return {source, seen.mac_source} != {"arp", "snmp"}


def _confirmed(items: Sequence[Observation]) -> tuple[str, ...]:
    certain = [item for item in items if item.mac is not None] or items
    return sort_addresses(address for item in certain for address in item.addresses)


def _combine(items: Sequence[Observation]) -> Observation:
    """Return the observations of one device as one; ARP's MAC outranks SNMP's."""
    if len(items) == 1:
        return items[0]
    best = min(items, key=lambda item: item.mac_source or "~")
    # One agent's word, not a mixture: of the first observation that has any.
    spoke = next((item for item in items if "snmp" in item.protocols), best)
    return Observation(
        addresses=sort_addresses(address for item in items for address in item.addresses),
        protocols=sort_protocols(name for item in items for name in item.protocols),
        mac=best.mac,
        mac_source=best.mac_source,
        sys_name=spoke.sys_name,
        sys_descr=spoke.sys_descr,
        sys_object_id=spoke.sys_object_id,
        uptime=spoke.uptime,
    )

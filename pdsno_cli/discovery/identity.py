"""Decides which known device each observation of a cycle is; pure.

By MAC first, then by address where a MAC is unknown on either side. An interface's MAC (ARP) and
the first one in an agent's table (SNMP) may differ for one device, so only MACs that come from the
same protocol contradict each other. A device has further MACs, aliases, where the agent at both is the
same; an alias is given up when another agent answers there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from pdsno_cli.discovery.fields import fields_of, members
from pdsno_cli.discovery.merge import sort_addresses
from pdsno_cli.model.devices import Device, Known, Observation
from pdsno_cli.model.probes import rank, sort_protocols


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """All observations of one device in one cycle.

    ``device_id`` is None for an unknown device. ``confirmed`` are the addresses that answered as
    this device: all of them, or only those with its MAC where a MAC was seen. ``lost`` are
    addresses of the device that answered as another device, ``taken`` the MACs of other devices.
    """

    device_id: str | None
    observation: Observation
    confirmed: tuple[str, ...]
    lost: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()


def new_id(seen: Observation, taken: Mapping[str, Known]) -> str:
    """Return the id of a device that is seen for the first time; it never changes."""
    base = f"mac:{seen.mac}" if seen.mac is not None else f"ip:{seen.addresses[0]}"
    # A device found by address may have got this MAC since; a number makes the id unique.
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}#{number}"
    return name


def match(
    known: Mapping[str, Known], observations: Sequence[Observation], missed_cycles: int
) -> tuple[list[Match], frozenset[str]]:
    """Return the matches, and the known ids that turn out to be another known device.

    Such an id never had a MAC, or one that is another's alias by now, and all of its addresses have
    answered as other devices.
    """
    groups, unknown = _group(known, observations, missed_cycles)
    seen = {address for item in observations for address in item.addresses}
    macs = {mac for item in observations for mac in (item.mac, *item.aliases) if mac is not None}
    matches = []
    for device_id, items in groups.items():
        own_macs = {mac for item in items for mac in (item.mac, *item.aliases)}
        own = {address for item in items for address in item.addresses}
        matches.append(
            Match(
                device_id=device_id,
                observation=_combine(items),
                confirmed=_confirmed(items),
                lost=frozenset(known[device_id].device.addresses) & (seen - own),
                taken=frozenset(macs - own_macs),
            )
        )
    matches += [
        Match(device_id=None, observation=item, confirmed=item.addresses) for item in unknown
    ]
    aliases = {mac for item in known.values() for mac in item.aliases}
    absorbed = frozenset(
        key
        for key, item in known.items()
        if key not in groups
        and (item.device.mac is None or item.device.mac in aliases)
        and seen.issuperset(item.device.addresses)
    )
    return matches, absorbed


def _group(
    known: Mapping[str, Known], observations: Sequence[Observation], missed_cycles: int
) -> tuple[dict[str, list[Observation]], list[Observation]]:
    """Return the observations of each known device, those with a MAC first, and all others."""
    by_mac = {
        item.device.mac: key
        for key, item in sorted(known.items(), key=lambda pair: (pair[1].active, pair[0]))
        if item.device.mac is not None
    }
    by_alias = {mac: key for key, item in known.items() for mac in item.aliases}
    by_address: dict[str, list[str]] = defaultdict(list)
    for key, item in known.items():
        for address in item.device.addresses:
            by_address[address].append(key)
    groups: dict[str, list[Observation]] = defaultdict(list)
    rest = []
    for seen in observations:
        owner = by_mac.get(seen.mac or "")
        joined = by_alias.get(seen.mac or "")
        if joined is not None and not _other_agent(known[joined].device, seen):
            owner = joined
        if owner is None:
            rest.append(seen)
        elif _shares_mac(
            known[owner].device, seen, (known[k].device for k in _at(by_address, seen))
        ):
            rest.append(replace(seen, mac=None, mac_source=None))
        else:
            groups[owner].append(seen)
    unknown = []
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
            unknown.append(seen)
    return dict(groups), unknown


def _other_agent(device: Device, seen: Observation) -> bool:
    """Return True if what an observation says of itself is not what the device says."""
    one, other = device.extra or {}, seen.extra or {}
    if device.sys_name is not None and seen.sys_name not in {None, device.sys_name}:
        return True
    return any(
        name in one and name in other and one[name] != other[name]
        for name in ("engine_id", "serial")
    )


def _at(by_address: Mapping[str, Sequence[str]], seen: Observation) -> Iterator[str]:
    for address in seen.addresses:
        yield from by_address.get(address, ())


def _shares_mac(owner: Device, seen: Observation, there: Iterable[Device]) -> bool:
    """Return True if an observation with the MAC of ``owner`` is of another device.

    Two agents may share a MAC, and one of them alone may answer in a cycle: the name of the device
    known at its address identifies it.
    """
    return (
        owner.sys_name != seen.sys_name
        and owner.sys_name is not None
        and seen.sys_name is not None
        and not set(owner.addresses) & set(seen.addresses)
        and any(device.sys_name == seen.sys_name for device in there)
    )


def _rank(item: Known, address: str, key: str) -> tuple[bool, int, int, str]:
    """Return the sort key of the devices at an address: the last that answered there comes first."""
    return (not item.active, item.missed, item.silent.get(address, 0), key)


def _fits(
    item: Known,
    group: Iterable[Observation],
    seen: Observation,
    address: str,
    missed_cycles: int,
) -> bool:
    """Return True if an observation at an address of ``item`` may be that device."""
    if seen.mac is None:
        # The device answers elsewhere too: it keeps this address for some cycles, not for ever.
        elsewhere = any(other.mac is not None for other in group)
        return not elsewhere or item.silent.get(address, 0) + 1 < missed_cycles
    if seen.mac in item.aliases:
        return not _other_agent(item.device, seen)
    if _contradict(item.device.mac, item.mac_source, seen):
        return False
    return not any(_contradict(other.mac, other.mac_source, seen) for other in group)


def _contradict(mac: str | None, source: str | None, seen: Observation) -> bool:
    """Return True if two MACs of one protocol differ; an unknown source counts as the same."""
    if mac is None or seen.mac is None or mac == seen.mac:
        return False
    return source is None or seen.mac_source is None or source == seen.mac_source


def _confirmed(items: Sequence[Observation]) -> tuple[str, ...]:
    certain = [item for item in items if item.mac is not None] or items
    return sort_addresses(address for item in certain for address in item.addresses)


def _combine(items: Sequence[Observation]) -> Observation:
    """Return the observations of one device as one, with the MAC of the first protocol."""
    if len(items) == 1:
        return items[0]
    best = min(items, key=lambda item: rank(item.mac_source))
    protocols = sort_protocols(name for item in items for name in item.protocols)
    fields: dict[str, str | float] = {}
    for name in reversed(protocols):
        # The fields of one agent, not a mixture: those of the first observation with the protocol.
        first = next(item for item in items if name in item.protocols)
        fields |= fields_of(first, (name,))
    return Observation(
        addresses=sort_addresses(address for item in items for address in item.addresses),
        protocols=protocols,
        mac=best.mac,
        mac_source=best.mac_source,
        aliases=tuple(
            sorted(
                {mac for item in items for mac in item.aliases}
                | {item.mac for item in items if item.mac and item.mac_source == best.mac_source}
                - {best.mac}
            )
        ),
        **members(fields),
    )

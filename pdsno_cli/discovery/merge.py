"""Merges the answers of several protocols into one observation per device; pure.

Addresses that share a MAC are one device; an address without a MAC is a device of its own. The MAC
of an address comes from the first protocol of the registry that yields one. A MAC under which
agents of different names answer identifies no device: it belongs to a router that answers for
others, a copied machine, or a kind of shared address that ``mac`` does not know.

What an agent says of itself joins addresses, too, whatever their MACs: the same SNMP engine id, or the
same vendor and serial number, under one name. A router has a MAC on each of its links.

An address that several devices share, as VRRP and HSRP do, is a device of its own: the agent that
answers there is that of one of them, today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pdsno_cli.discovery.fields import answered, members
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.probe import Answers, Fields
from pdsno_cli.model.address_numbers import address_number
from pdsno_cli.model.devices import Observation
from pdsno_cli.model.probes import SHARED, rank, sort_protocols

_Mac = tuple[str | None, str | None]  # a MAC and the protocol it comes from
_NO_MAC: _Mac = (None, None)


def sort_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return each address once, IPv4 before IPv6, numerically lowest first."""
    return tuple(sorted(set(addresses), key=address_number))


def merge(results: Mapping[str, Answers]) -> tuple[Observation, ...]:
    """Return one observation per device, in the order of its lowest address.

    ``results`` has the answers of each protocol, by its name.
    """
    ordered = {name: results[name] for name in sort_protocols(results)}
    addresses = sort_addresses(address for answers in ordered.values() for address in answers)
    ordered = _without_agents_of_shared(ordered)
    candidates = {address: tuple(_macs(ordered, address)) for address in addresses}
    shared = _shared_macs(ordered, candidates)
    groups: dict[str, list[str]] = defaultdict(list)
    macs: dict[str, _Mac] = {}
    for address in addresses:
        own = (pair for pair in candidates[address] if pair[0] not in shared)
        macs[address] = mac, _ = next(own, _NO_MAC)
        groups[mac or address].append(address)
    joined = _join(list(groups.values()), _signs(ordered))
    return tuple(_observe(ordered, sort_addresses(group), macs) for group in joined)


def _without_agents_of_shared(results: Mapping[str, Answers]) -> dict[str, Answers]:
    """Return the answers without what the agents at shared addresses say of themselves."""
    shared = {
        address
        for answers in results.values()
        for address, answer in answers.items()
        if SHARED in answer
    }
    if not shared:
        return dict(results)
    return {
        name: {
            address: {} if address in shared and SHARED not in answer else answer
            for address, answer in answers.items()
        }
        for name, answers in results.items()
    }


def _signs(results: Mapping[str, Answers]) -> dict[str, list[tuple[str, ...]]]:
    """Return what identifies the device at each address beside its MAC.

    A sign under which agents of different names answer identifies none.
    """
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    names: dict[tuple[str, ...], set[object]] = defaultdict(set)
    for answers in results.values():
        for address, answer in answers.items():
            for sign in _signs_of(answer):
                found[address].append(sign)
                names[sign].add(answer.get("sys_name"))
    return {
        address: [sign for sign in signs if len(names[sign]) == 1]
        for address, signs in found.items()
    }


def _signs_of(answer: Fields) -> Iterator[tuple[str, ...]]:
    if "engine_id" in answer:
        yield "engine_id", str(answer["engine_id"])
    if "serial" in answer and "vendor" in answer and answer.get("sys_name"):
        yield "serial", str(answer["vendor"]), str(answer["serial"])


def _join(
    groups: Sequence[list[str]], signs: Mapping[str, Iterable[tuple[str, ...]]]
) -> list[list[str]]:
    """Return the groups, those with a sign in common as one, in the order of their first."""
    owner: dict[tuple[str, ...], int] = {}
    into = list(range(len(groups)))

    def first(number: int) -> int:
        while into[number] != number:
            number = into[number]
        return number

    for number, group in enumerate(groups):
        for sign in (sign for address in group for sign in signs.get(address, ())):
            one, other = sorted((first(owner.setdefault(sign, number)), first(number)))
            into[other] = one
    joined: dict[int, list[str]] = defaultdict(list)
    for number, group in enumerate(groups):
        joined[first(number)] += group
    return list(joined.values())


def _macs(results: Mapping[str, Answers], address: str) -> Iterator[tuple[str, str]]:
    """Yield the MACs that protocols give an address, each with its protocol, the best first."""
    for name, answers in results.items():
        mac = normalise_mac(str(answers.get(address, {}).get("mac", "")))
        if mac is not None:
            yield mac, name


def _shared_macs(
    results: Mapping[str, Answers], candidates: Mapping[str, Iterable[tuple[str, str]]]
) -> set[str]:
    """Return the MACs under which agents of different names answer."""
    found = set()
    for answers in results.values():
        names: dict[str, object] = {}
        for address, answer in answers.items():
            name = answer.get("sys_name")
            if name is not None:
                found |= {
                    mac for mac, _ in candidates[address] if names.setdefault(mac, name) != name
                }
    return found


def _observe(
    results: Mapping[str, Answers], addresses: tuple[str, ...], macs: Mapping[str, _Mac]
) -> Observation:
    # If two addresses of one device have different MACs, that of the earlier protocol wins.
    mac, source = min((macs[address] for address in addresses), key=lambda pair: rank(pair[1]))
    others = {other for other, of in map(macs.__getitem__, addresses) if of == source} - {mac, None}
    fields: dict[str, str | float] = {}
    protocols = []
    for name, answers in results.items():
        here = [answers[address] for address in addresses if address in answers]
        if here:
            protocols.append(name)
        for answer in here:
            fields = answered(name, answer) | fields
    return Observation(
        addresses=addresses,
        protocols=tuple(protocols),
        mac=mac,
        mac_source=source,
        aliases=tuple(sorted(filter(None, others))),
        **members(fields),
    )

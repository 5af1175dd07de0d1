"""Merges the answers of several protocols into one observation per device; pure.

Addresses that share a MAC are one device; an address without a MAC is a device of its own. The MAC
of an address comes from the first protocol of the registry that yields one. A MAC under which
agents of different names answer identifies no device: it belongs to a router that answers for
others, a copied machine, or a kind of shared address that ``mac`` does not know.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from pdsno_cli.discovery.fields import answered, members
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.probe import Answers
from pdsno_cli.model.devices import Observation
from pdsno_cli.model.probes import rank, sort_protocols

_Mac = tuple[str | None, str | None]  # a MAC and the protocol it comes from
_NO_MAC: _Mac = (None, None)


def address_order(address: str) -> int:
    """Return the sort key that puts IPv4 addresses in numerical order."""
    return int(ipaddress.IPv4Address(address))


def sort_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return each address once, numerically lowest first."""
    return tuple(sorted(set(addresses), key=address_order))


def merge(results: Mapping[str, Answers]) -> tuple[Observation, ...]:
    """Return one observation per device, in the order of its lowest address.

    ``results`` has the answers of each protocol, by its name.
    """
    ordered = {name: results[name] for name in sort_protocols(results)}
    addresses = sort_addresses(address for answers in ordered.values() for address in answers)
    candidates = {address: tuple(_macs(ordered, address)) for address in addresses}
    shared = _shared_macs(ordered, candidates)
    groups: dict[str, list[str]] = defaultdict(list)
    macs: dict[str, _Mac] = {}
    for address in addresses:
        own = (pair for pair in candidates[address] if pair[0] not in shared)
        macs[address] = mac, _ = next(own, _NO_MAC)
        groups[mac or address].append(address)
    return tuple(_observe(ordered, tuple(group), macs) for group in groups.values())


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
        **members(fields),
    )

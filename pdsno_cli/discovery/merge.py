"""Merges the answers of several protocols into one observation per device; pure.

Addresses that share a MAC are one device; an address without a MAC stands for itself. The MAC
of an address is the one that ARP saw there, else the one that its SNMP agent names. A MAC under
which agents of different names answer is nobody's: a router that answers for others, a copied
machine, or a kind of shared address that ``mac`` does not know.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from typing import TYPE_CHECKING

from pdsno_cli.discovery.answers import SystemInfo
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.model.devices import PROTOCOLS, Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pdsno_cli.discovery.answers import Answers

_NOTHING = SystemInfo()

_Mac = tuple[str | None, str | None]  # a MAC and the protocol that taught it


def address_order(address: str) -> int:
    """Sort key that puts IPv4 addresses in numerical order."""
    return int(ipaddress.IPv4Address(address))


def sort_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return each address once, numerically lowest first."""
    return tuple(sorted(set(addresses), key=address_order))


def sort_protocols(protocols: Iterable[str]) -> tuple[str, ...]:
    """Return each protocol once, in the order of ``model.devices.PROTOCOLS``."""
    present = set(protocols)
    return tuple(name for name in PROTOCOLS if name in present)


def merge(answers: Answers) -> tuple[Observation, ...]:
    """Return one observation per device, in the order of its lowest address."""
    known = sort_addresses([*answers.arp, *answers.icmp, *answers.snmp])
    taught = {address: _taught(answers, address) for address in known}
    nobodys = _nobodys(answers, taught)
    groups: dict[str, list[str]] = defaultdict(list)
    macs: dict[str, _Mac] = {}
    for address in known:
        own = (pair for pair in taught[address] if pair[0] not in nobodys)
        macs[address] = mac, _ = next(own, (None, None))
        groups[mac or address].append(address)
    return tuple(_observe(answers, tuple(addresses), macs) for addresses in groups.values())


def _taught(answers: Answers, address: str) -> list[tuple[str, str]]:
    """Return the MACs that an address is said to have, each with the protocol, the best first."""
    seen = normalise_mac(answers.arp.get(address, ""))
    named = normalise_mac(answers.snmp.get(address, _NOTHING).mac or "")
    return [(mac, name) for mac, name in ((seen, "arp"), (named, "snmp")) if mac is not None]


def _nobodys(answers: Answers, taught: Mapping[str, Iterable[tuple[str, str]]]) -> set[str]:
    """Return the MACs under which agents of different names answer."""
    names: dict[str, str] = {}
    found = set()
    for address, info in answers.snmp.items():
        for mac, _ in taught[address]:
            if info.sys_name is not None and names.setdefault(mac, info.sys_name) != info.sys_name:
                found.add(mac)
    return found


def _observe(answers: Answers, addresses: tuple[str, ...], macs: Mapping[str, _Mac]) -> Observation:
    # ARP's word outranks SNMP's where two addresses of one device were taught differently.
    mac, source = min((macs[a] for a in addresses), key=lambda pair: pair[1] or "~")
    systems = [answers.snmp[a] for a in addresses if a in answers.snmp]
    protocols = [
        name
        for name, heard in (("arp", answers.arp), ("icmp", answers.icmp), ("snmp", answers.snmp))
        if any(address in heard for address in addresses)
    ]
    return Observation(
        addresses=addresses,
        protocols=sort_protocols(protocols),
        mac=mac,
        mac_source=source,
        sys_name=next((s.sys_name for s in systems if s.sys_name is not None), None),
        sys_descr=next((s.sys_descr for s in systems if s.sys_descr is not None), None),
        sys_object_id=next((s.sys_object_id for s in systems if s.sys_object_id is not None), None),
        uptime=next((s.uptime for s in systems if s.uptime is not None), None),
    )

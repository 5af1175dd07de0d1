"""Interfaces and their addresses from IF-MIB (RFC 2863) and IP-MIB (RFC 4293); pure."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal

from pdsno_cli.discovery.snmp.ber import Oid, Value
from pdsno_cli.discovery.snmp.details.bridge import untagged_vlans
from pdsno_cli.discovery.snmp.details.tables import (
    IF_ADMIN,
    IF_ALIAS,
    IF_DESCR,
    IF_HIGH_SPEED,
    IF_NAME,
    IF_OPER,
    IF_PHYS_ADDRESS,
    IF_SPEED,
    IP_ADDRESS_IF_INDEX,
    IP_ADDRESS_PREFIX,
    IP_IF_INDEX,
    IP_MASK,
    Tables,
)
from pdsno_cli.discovery.snmp.details.values import address_of, mac_of, number_of, text_of
from pdsno_cli.model.details import MAX_INTERFACES, Interface, InterfaceState

_ADMIN: Mapping[int | None, Literal["up", "down", "testing"]] = {1: "up", 2: "down", 3: "testing"}
_STATES: Mapping[int | None, InterfaceState] = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "not-present",
    7: "lower-layer-down",
}
_MILLION = 1_000_000
_UNKNOWN_SPEED = 0xFFFF_FFFF  # of ifSpeed: more than it can hold
_LARGEST_INDEX = 2**31 - 1

_Address = tuple[int, int, int]  # version, number, prefix length; -1 where it is unknown


def names(tables: Tables) -> dict[int, str]:
    """Return the name of each interface by its index: ifName, else ifDescr, else the index."""
    found: dict[int, str] = {}
    for column in (IF_NAME, IF_DESCR, IF_OPER, IF_ADMIN):
        for index, value in tables.get(column, {}).items():
            if len(index) == 1 and index[0] <= _LARGEST_INDEX and not found.get(index[0]):
                found[index[0]] = text_of(value) if column in {IF_NAME, IF_DESCR} else ""
    return {index: found[index] or str(index) for index in sorted(found)[:MAX_INTERFACES]}


def interfaces(tables: Tables) -> tuple[Interface, ...]:
    """Return the interfaces of a device in the order of their index."""
    addresses, vlans = _addresses(tables), untagged_vlans(tables)

    def cell(column: Oid, index: int) -> Value | None:
        return tables.get(column, {}).get((index,))

    return tuple(
        Interface(
            index=index,
            name=name,
            alias=text_of(cell(IF_ALIAS, index)),
            mac=mac_of(cell(IF_PHYS_ADDRESS, index)),
            speed=_speed(cell(IF_HIGH_SPEED, index), cell(IF_SPEED, index)),
            admin=_ADMIN.get(number_of(cell(IF_ADMIN, index))),
            state=_STATES.get(number_of(cell(IF_OPER, index))),
            addresses=tuple(map(_format, sorted(addresses.get(index, ())))),
            vlan=vlans.get(index),
        )
        for index, name in names(tables).items()
    )


def _speed(high: Value | None, low: Value | None) -> int | None:
    """Return Mbit/s from ifHighSpeed, or ifSpeed where that says nothing."""
    megabits, bits = number_of(high), number_of(low)
    if megabits and megabits == bits and megabits >= _MILLION:
        megabits //= _MILLION  # an agent that gives bits in both
    if not megabits and bits and bits != _UNKNOWN_SPEED:
        megabits = bits // _MILLION
    return megabits if megabits and 0 < megabits < 2**32 else None


def _addresses(tables: Tables) -> dict[int, set[_Address]]:
    """Return the addresses of each interface; of one with and without its prefix the first."""
    found: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for interface, (version, number, prefix) in (*_new_style(tables), *_old_style(tables)):
        if found[interface].get((version, number), -1) < 0:
            found[interface][version, number] = prefix
    return {
        interface: {(*address, prefix) for address, prefix in item.items()}
        for interface, item in found.items()
    }


def _new_style(tables: Tables) -> Iterator[tuple[int, _Address]]:
    """Yield what ipAddressTable has, by the index of the interface."""
    prefixes = tables.get(IP_ADDRESS_PREFIX, {})
    for index, value in tables.get(IP_ADDRESS_IF_INDEX, {}).items():
        interface = number_of(value)
        # An address type, the length, the address; of a link-local one, its zone follows.
        length = index[1] if len(index) > 1 else 0
        address = address_of(index[2 : 2 + (16 if length == 20 else 4 if length == 8 else length)])
        if interface is None or address is None or len(index) != 2 + length:
            continue
        row = prefixes.get(index)
        pointer = row.oid if row is not None else None  # to a row of ipAddressPrefixTable
        known = pointer is not None and len(pointer) > 10 and pointer[-1] <= address.max_prefixlen
        prefix = pointer[-1] if known and pointer is not None else -1
        yield interface, (address.version, int(address), prefix)


def _old_style(tables: Tables) -> Iterator[tuple[int, _Address]]:
    """Yield what ipAddrTable has, by the index of the interface."""
    masks = tables.get(IP_MASK, {})
    for index, value in tables.get(IP_IF_INDEX, {}).items():
        interface, address = number_of(value), address_of(index)
        if interface is not None and address is not None and address.version == 4:
            yield interface, (4, int(address), _prefix_length(masks.get(index)))


def _prefix_length(mask: Value | None) -> int:
    """Return the prefix length of a mask, -1 if it is none."""
    if mask is None or len(mask.octets) != 4:
        return -1
    try:
        return ipaddress.IPv4Network(f"0.0.0.0/{ipaddress.IPv4Address(mask.octets)}").prefixlen
    except ValueError:
        return -1


def _format(address: _Address) -> str:
    version, number, prefix = address
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return str(kind(number)) if prefix < 0 else f"{kind(number)}/{prefix}"

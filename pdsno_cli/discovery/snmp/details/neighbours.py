"""Neighbours from LLDP-MIB (IEEE 802.1AB) and CISCO-CDP-MIB; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pdsno_cli.discovery.snmp.ber import Oid, Value
from pdsno_cli.discovery.snmp.details.bridge import ports
from pdsno_cli.discovery.snmp.details.tables import (
    CDP,
    IF_DESCR,
    IF_PHYS_ADDRESS,
    LLDP_CHASSIS,
    LLDP_CHASSIS_SUBTYPE,
    LLDP_MANAGEMENT,
    LLDP_PORT_DESCR,
    LLDP_PORT_ID,
    LLDP_PORT_SUBTYPE,
    LLDP_REMOTE,
    Tables,
)
from pdsno_cli.discovery.snmp.details.values import (
    address_of,
    format_octets,
    identifier,
    mac_of,
    number_of,
    text_of,
)
from pdsno_cli.model.details import MAX_NEIGHBOURS, Neighbour

# lldpRemTable, by the number of its column.
_CHASSIS_SUBTYPE, _CHASSIS, _PORT_SUBTYPE, _PORT = 4, 5, 6, 7
_PORT_DESCR, _NAME, _DESCR, _SUPPORTED, _ENABLED = 8, 9, 10, 11, 12
_CHASSIS_MAC, _CHASSIS_ADDRESS = 4, 5  # subtypes
_PORT_MAC, _PORT_ADDRESS, _PORT_NAME = 3, 4, 5

# The bits of LldpSystemCapabilitiesMap, first to last.
_LLDP_CAPABILITIES = (
    "other", "repeater", "bridge", "wlan-ap", "router", "telephone", "docsis", "station",
)  # fmt: skip
# cdpCacheTable, by the number of its column, and the bits of its capabilities, last to first.
_CDP_ADDRESS, _CDP_DEVICE, _CDP_PORT, _CDP_PLATFORM, _CDP_CAPABILITIES = 4, 6, 7, 8, 9
_CDP_BITS = ("router", "bridge", "bridge", "bridge", "station", "", "repeater", "telephone")

_WRITTEN_BITS = re.compile(rb"[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*( \d+)* ?")

_Key = tuple[int, int]  # local port number and index of the neighbour


def chassis(tables: Tables) -> str:
    """Return the device's own LLDP identifier, empty if it serves none."""
    values = tables.get(LLDP_CHASSIS, {}).values()
    subtypes = tables.get(LLDP_CHASSIS_SUBTYPE, {}).values()
    return _chassis(next(iter(subtypes), None), next(iter(values), None))


def neighbours(tables: Tables, names: Mapping[int, str]) -> tuple[Neighbour, ...]:
    """Return the neighbours of a device, sorted; ``names`` are those of its interfaces by index."""
    found = {*_lldp(tables, names), *_cdp(tables, names)}
    ordered = sorted(found, key=lambda n: (n.interface, n.protocol, n.chassis, n.port, n.name))
    return tuple(ordered[:MAX_NEIGHBOURS])


def _lldp(tables: Tables, names: Mapping[int, str]) -> Iterator[Neighbour]:
    columns = {
        part: _latest(tables.get((*LLDP_REMOTE, part), {}))
        for part in (
            _CHASSIS_SUBTYPE, _CHASSIS, _PORT_SUBTYPE, _PORT, _PORT_DESCR,
            _NAME, _DESCR, _SUPPORTED, _ENABLED,
        )
    }  # fmt: skip
    addresses = _management(tables)
    local = _local_ports(tables, names)
    for key in dict.fromkeys(key for part in (_CHASSIS, _PORT, _NAME) for key in columns[part]):
        cell = {part: column.get(key) for part, column in columns.items()}
        yield Neighbour(
            interface=local.get(key[0]) or _by_number(key[0], tables, names),
            protocol="lldp",
            chassis=_chassis(cell[_CHASSIS_SUBTYPE], cell[_CHASSIS]),
            port=_port(cell[_PORT_SUBTYPE], cell[_PORT]),
            port_description=text_of(cell[_PORT_DESCR]),
            name=text_of(cell[_NAME]),
            description=text_of(cell[_DESCR]),
            address=addresses.get(key, ""),
            capabilities=_bits(cell[_ENABLED]) or _bits(cell[_SUPPORTED]),
        )


def _latest(rows: Mapping[Oid, Value]) -> dict[_Key, Value]:
    """Return a column by local port and neighbour; of two times of one row the later counts."""
    return {index[-2:]: rows[index] for index in sorted(rows) if len(index) in {2, 3}}  # type: ignore[misc]  # two numbers


def _management(tables: Tables) -> dict[_Key, str]:
    """Return the management address of each neighbour: the lowest, IPv4 before IPv6."""
    found: dict[_Key, tuple[int, int, str]] = {}
    for index in tables.get(LLDP_MANAGEMENT, {}):
        # Time, port, neighbour, address family, length (which some agents leave out), octets.
        octets = index[5:] if len(index) > 5 and index[4] == len(index) - 5 else index[4:]
        address = address_of(octets)
        if address is not None and len(index) > 4:
            key = (index[1], index[2])
            entry = (address.version, int(address), str(address))
            found[key] = min(found.get(key, entry), entry)
    return {key: text for key, (_, _, text) in found.items()}


def _local_ports(tables: Tables, names: Mapping[int, str]) -> dict[int, str]:
    """Return the interface of each LLDP port number whose identifier or description names it."""
    known = {name: name for name in names.values()}
    macs = [mac_of(value) for value in tables.get(IF_PHYS_ADDRESS, {}).values()]
    for column in (IF_DESCR, IF_PHYS_ADDRESS):
        for index, value in tables.get(column, {}).items():
            label = text_of(value) if column == IF_DESCR else mac_of(value) or ""
            if label and index[0] in names and macs.count(label) < 2:
                known.setdefault(label, names[index[0]])
    subtypes = tables.get(LLDP_PORT_SUBTYPE, {})
    descriptions = tables.get(LLDP_PORT_DESCR, {})
    found = {}
    for index, value in tables.get(LLDP_PORT_ID, {}).items():
        label = _port(subtypes.get(index), value)
        name = known.get(label) or known.get(text_of(descriptions.get(index)))
        if name is None and label.isdecimal():  # Junos: the ifIndex
            name = names.get(int(label))
        if name is None and number_of(subtypes.get(index)) == _PORT_NAME:
            name = label
        if name:
            found[index[-1]] = name
    return found


def _by_number(number: int, tables: Tables, names: Mapping[int, str]) -> str:
    """Return the interface of an LLDP port that nothing names: its number is an ifIndex or bridge port."""
    return names.get(number) or names.get(ports(tables).get(number, -1), f"port {number}")


def _chassis(subtype: Value | None, value: Value | None) -> str:
    kind = number_of(subtype)
    return _identifier(value, mac=kind == _CHASSIS_MAC, address=kind == _CHASSIS_ADDRESS)


def _port(subtype: Value | None, value: Value | None) -> str:
    kind = number_of(subtype)
    return _identifier(value, mac=kind == _PORT_MAC, address=kind == _PORT_ADDRESS)


def _identifier(value: Value | None, *, mac: bool, address: bool) -> str:
    if value is None:
        return ""
    number = value.number
    return str(number) if number is not None else identifier(value.octets, mac=mac, address=address)


def _bits(value: Value | None) -> tuple[str, ...]:
    """Return the capabilities whose bits are set; the first bit is the highest of the first octet."""
    if value is None or value.number is not None or not value.octets:
        return ()
    octet = value.octets[0]
    if _WRITTEN_BITS.fullmatch(value.octets):  # as net-snmp prints them: hexadecimal, then the bits
        octet = int(value.octets[:2], 16)
    return tuple(name for bit, name in enumerate(_LLDP_CAPABILITIES) if octet & 0x80 >> bit)


def _cdp(tables: Tables, names: Mapping[int, str]) -> Iterator[Neighbour]:
    rows = {
        part: tables.get((*CDP, part), {})
        for part in (_CDP_ADDRESS, _CDP_DEVICE, _CDP_PORT, _CDP_PLATFORM, _CDP_CAPABILITIES)
    }
    for index in dict.fromkeys((*rows[_CDP_DEVICE], *rows[_CDP_PORT])):
        if len(index) != 2:  # ifIndex, and a number of the neighbour
            continue
        device, address = rows[_CDP_DEVICE].get(index), rows[_CDP_ADDRESS].get(index)
        label = _identifier(device, mac=True, address=False)
        is_mac = device is not None and format_octets(device.octets) is not None
        bits = rows[_CDP_CAPABILITIES].get(index)
        found = address_of(address.octets) if address is not None else None
        yield Neighbour(
            interface=names.get(index[0], f"port {index[0]}"),
            protocol="cdp",
            chassis=label,
            port=text_of(rows[_CDP_PORT].get(index)),
            name="" if is_mac else label,
            description=text_of(rows[_CDP_PLATFORM].get(index)),
            address="" if found is None else str(found),
            capabilities=_cdp_capabilities(bits),
        )


def _cdp_capabilities(value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    bits = value.number if value.number is not None else int.from_bytes(value.octets[-4:], "big")
    return tuple(
        dict.fromkeys(name for bit, name in enumerate(_CDP_BITS) if name and bits & 1 << bit)
    )

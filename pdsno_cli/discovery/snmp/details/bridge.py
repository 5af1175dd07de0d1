"""VLANs and learned stations from BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363) and Cisco's; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pdsno_cli.discovery.snmp.ber import Oid
from pdsno_cli.discovery.snmp.details.tables import (
    BASE_PORT,
    FDB_PORT,
    FDB_STATUS,
    PVID,
    VLAN_FDB_ID,
    VLAN_FDB_PORT,
    VLAN_FDB_STATUS,
    VLAN_NAME,
    VM_VLAN,
    VTP_VLAN_NAME,
    Tables,
)
from pdsno_cli.discovery.snmp.details.values import number_of, text_of
from pdsno_cli.model.details import MAX_STATIONS, MAX_VLANS, Station, Vlan

_FIRST, _LAST = 1, 4094  # VLAN ids (IEEE 802.1Q)
_LEARNED = 3  # of dot1dTpFdbStatus and dot1qTpFdbStatus


def vlans(tables: Tables) -> tuple[Vlan, ...]:
    """Return the VLANs of a device, in the order of their ids."""
    found: dict[int, str] = {}
    for column in (VLAN_NAME, VTP_VLAN_NAME):  # by VLAN; by management domain and VLAN
        for index, value in tables.get(column, {}).items():
            if index and _FIRST <= index[-1] <= _LAST:
                found[index[-1]] = found.get(index[-1]) or text_of(value)
    for index in tables.get(VLAN_FDB_ID, {}):  # by time and VLAN
        if index and _FIRST <= index[-1] <= _LAST:
            found.setdefault(index[-1], "")
    return tuple(Vlan(id=key, name=found[key]) for key in sorted(found)[:MAX_VLANS])


def ports(tables: Tables) -> dict[int, int]:
    """Return the ifIndex of each bridge port."""
    found = {}
    for index, value in tables.get(BASE_PORT, {}).items():
        interface = number_of(value)
        if len(index) == 1 and interface:
            found[index[0]] = interface
    return found


def untagged_vlans(tables: Tables) -> dict[int, int]:
    """Return the VLAN of untagged frames by ifIndex."""
    found = {}
    for column, by_port in ((VM_VLAN, None), (PVID, ports(tables))):
        for index, value in tables.get(column, {}).items():
            vlan = number_of(value)
            interface = index[-1] if by_port is None else by_port.get(index[-1])
            if interface is not None and vlan is not None and _FIRST <= vlan <= _LAST:
                found[interface] = vlan
    return found


def stations(
    tables: Tables, names: Mapping[int, str], instances: Mapping[int, Tables]
) -> tuple[Station, ...]:
    """Return the learned entries of the forwarding table; ``names`` are those of interfaces by index.

    ``instances`` are the bridges of single VLANs, by VLAN, where a device has one for each.
    """
    found = _named((*_of_vlans(tables), *_plain(tables, None)), ports(tables), names)
    for vlan, instance in instances.items():
        # Each has its own numbers for its ports.
        found |= _named(_plain(instance, vlan), ports(instance), names)
    ordered = sorted(found, key=lambda item: (item[0], item[2] or 0, item[1]))
    return tuple(
        Station(mac=mac, interface=interface, vlan=vlan)
        for mac, interface, vlan in ordered[:MAX_STATIONS]
    )


def _named(
    entries: Iterable[tuple[str, int, int | None]],
    interfaces: Mapping[int, int],
    names: Mapping[int, str],
) -> set[tuple[str, str, int | None]]:
    """Return MAC, name of the interface and VLAN of entries with MAC, port and VLAN."""
    return {
        (mac, names.get(interfaces.get(port, -1), f"port {port}"), vlan)
        for mac, port, vlan in entries
    }


def _of_vlans(tables: Tables) -> Iterator[tuple[str, int, int | None]]:
    """Yield MAC, port and VLAN of each entry of dot1qTpFdbTable."""
    vlan_of = {
        database: index[-1]
        for index, value in tables.get(VLAN_FDB_ID, {}).items()
        if index and (database := number_of(value)) is not None and _FIRST <= index[-1] <= _LAST
    }
    if not vlan_of:
        # An agent that does not say which database a VLAN learns in numbers them alike.
        vlan_of = {vlan.id: vlan.id for vlan in vlans(tables)}
    for index, mac, port in _entries(tables, VLAN_FDB_PORT, VLAN_FDB_STATUS, 7):
        yield mac, port, vlan_of.get(index[0])


def _plain(tables: Tables, vlan: int | None) -> Iterator[tuple[str, int, int | None]]:
    """Yield MAC, port and ``vlan`` of each entry of dot1dTpFdbTable."""
    for _, mac, port in _entries(tables, FDB_PORT, FDB_STATUS, 6):
        yield mac, port, vlan


def _entries(
    tables: Tables, port_column: Oid, status_column: Oid, length: int
) -> Iterator[tuple[Oid, str, int]]:
    """Yield index, MAC and port of the learned entries whose index has ``length`` numbers."""
    states = tables.get(status_column, {})
    for index, value in tables.get(port_column, {}).items():
        port = number_of(value)
        state = number_of(states.get(index))
        octets = index[-6:]
        if len(index) != length or not port or state not in {None, _LEARNED} or max(octets) > 255:
            continue
        if any(octets) and not octets[0] & 1:
            yield index, bytes(octets).hex(":"), port

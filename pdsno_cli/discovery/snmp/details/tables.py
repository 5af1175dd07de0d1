"""The columns that a reading of details walks, and how many rows of each are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.discovery.snmp.ber import Oid
from pdsno_cli.discovery.snmp.details.walk import Rows
from pdsno_cli.model.details import MAX_INTERFACES, MAX_NEIGHBOURS, MAX_STATIONS, MAX_VLANS

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Details

Tables = Mapping[Oid, Rows]

_IF: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)  # ifTable
IF_DESCR, IF_SPEED, IF_PHYS_ADDRESS = (*_IF, 2), (*_IF, 5), (*_IF, 6)
IF_ADMIN, IF_OPER = (*_IF, 7), (*_IF, 8)
_IFX: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)  # ifXTable
IF_NAME, IF_HIGH_SPEED, IF_ALIAS = (*_IFX, 1), (*_IFX, 15), (*_IFX, 18)
_IP: Oid = (1, 3, 6, 1, 2, 1, 4, 20, 1)  # ipAddrTable
IP_IF_INDEX, IP_MASK = (*_IP, 2), (*_IP, 3)
_IP_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 4, 34, 1)  # ipAddressTable
IP_ADDRESS_IF_INDEX, IP_ADDRESS_PREFIX = (*_IP_ADDRESS, 3), (*_IP_ADDRESS, 5)

_BRIDGE: Oid = (1, 3, 6, 1, 2, 1, 17)  # BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363)
BASE_PORT = (*_BRIDGE, 1, 4, 1, 2)  # dot1dBasePortIfIndex
FDB_PORT, FDB_STATUS = (*_BRIDGE, 4, 3, 1, 2), (*_BRIDGE, 4, 3, 1, 3)
VLAN_FDB_PORT, VLAN_FDB_STATUS = (*_BRIDGE, 7, 1, 2, 2, 1, 2), (*_BRIDGE, 7, 1, 2, 2, 1, 3)
VLAN_FDB_ID = (*_BRIDGE, 7, 1, 4, 2, 1, 3)  # dot1qVlanFdbId
VLAN_NAME = (*_BRIDGE, 7, 1, 4, 3, 1, 1)  # dot1qVlanStaticName
PVID = (*_BRIDGE, 7, 1, 4, 5, 1, 1)
VTP_VLAN_NAME: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1, 4)
VM_VLAN: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 68, 1, 2, 2, 1, 2)  # of an access port

_LLDP: Oid = (1, 0, 8802, 1, 1, 2, 1)  # LLDP-MIB (IEEE 802.1AB)
LLDP_CHANGED = (*_LLDP, 2, 1)  # lldpStatsRemTablesLastChangeTime
LLDP_CHASSIS_SUBTYPE, LLDP_CHASSIS = (*_LLDP, 3, 1), (*_LLDP, 3, 2)
_LOCAL_PORT = (*_LLDP, 3, 7, 1)
LLDP_PORT_SUBTYPE, LLDP_PORT_ID, LLDP_PORT_DESCR = (
    (*_LOCAL_PORT, 2),
    (*_LOCAL_PORT, 3),
    (*_LOCAL_PORT, 4),
)
LLDP_REMOTE = (*_LLDP, 4, 1, 1)
LLDP_MANAGEMENT = (*_LLDP, 4, 2, 1, 3)  # lldpRemManAddrIfSubtype

_LLDP_V2: Oid = (1, 3, 111, 2, 802, 1, 1, 13, 1)  # LLDP-V2-MIB (IEEE 802.1AB-2009)
LLDP_V2_CHASSIS_SUBTYPE, LLDP_V2_CHASSIS = (*_LLDP_V2, 3, 1), (*_LLDP_V2, 3, 2)
LLDP_V2_REMOTE = (*_LLDP_V2, 4, 1, 1)
LLDP_V2_MANAGEMENT = (*_LLDP_V2, 4, 2, 1, 3)  # lldpV2RemManAddrIfSubtype
IF_CHANGED: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 5)  # ifTableLastChange

CDP: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1)  # cdpCacheTable
_CISCO: Oid = (1, 3, 6, 1, 4, 1, 9)


# The columns of lldpRemTable that are read, the identifiers of chassis and port first; those of
# lldpV2RemTable have the next number each.
REMOTE_PARTS = (5, 4, 6, 7, 8, 9, 10, 11, 12)


class Table(NamedTuple):
    """The ``columns`` of a table with their limits, walked where one of ``heads`` has a row."""

    heads: tuple[Oid, ...]
    columns: Mapping[Oid, int]


_NAMES = dict.fromkeys((IF_NAME, IF_DESCR), MAX_INTERFACES)
_INTERFACES = dict.fromkeys(
    (IF_OPER, IF_ADMIN, IF_SPEED, IF_HIGH_SPEED, IF_PHYS_ADDRESS, IF_ALIAS), MAX_INTERFACES
)
_IF_HEADS = (IF_NAME, IF_DESCR, IF_OPER)


def tables(wanted: Details, object_id: Oid) -> tuple[Table, ...]:
    """Return the tables to look for on a device with this sysObjectID."""
    found = [Table(_IF_HEADS, _NAMES | _INTERFACES if wanted.interfaces else _NAMES)]
    if wanted.interfaces:
        found += [
            _table(IP_IF_INDEX, IP_MASK),
            _table(IP_ADDRESS_IF_INDEX, IP_ADDRESS_PREFIX),
            _table(PVID),
            _table(VLAN_NAME, limit=MAX_VLANS),
            _table(VLAN_FDB_ID, limit=MAX_VLANS),
        ]
        if is_cisco(object_id):
            found.append(_table(VM_VLAN))
    if wanted.neighbours:
        remote = [(*LLDP_REMOTE, part) for part in REMOTE_PARTS]
        remote_v2 = [(*LLDP_V2_REMOTE, part + 1) for part in REMOTE_PARTS]
        found += [
            _table(*remote, limit=MAX_NEIGHBOURS),
            _table(LLDP_MANAGEMENT, limit=4 * MAX_NEIGHBOURS),
            _table(*remote_v2, limit=MAX_NEIGHBOURS),
            _table(LLDP_V2_MANAGEMENT, limit=4 * MAX_NEIGHBOURS),
            _table(LLDP_PORT_ID, LLDP_PORT_SUBTYPE, LLDP_PORT_DESCR),
            _table(*((*CDP, part) for part in (6, 4, 7, 8, 9)), limit=MAX_NEIGHBOURS),
        ]
    if is_cisco(object_id) and (wanted.interfaces or wanted.forwarding):
        found.append(_table(VTP_VLAN_NAME, limit=MAX_VLANS))
    return (*found, _table(BASE_PORT))


def is_cisco(object_id: Oid) -> bool:
    """Return True for the sysObjectID of a device of Cisco's."""
    return object_id[: len(_CISCO)] == _CISCO


def scalars(wanted: Details) -> tuple[Oid, ...]:
    """Return the columns of which only the first row is wanted, as it is the only one."""
    own = (IF_CHANGED,) if wanted.interfaces else ()
    if not wanted.neighbours:
        return own
    chassis = (LLDP_CHASSIS, LLDP_CHASSIS_SUBTYPE, LLDP_V2_CHASSIS, LLDP_V2_CHASSIS_SUBTYPE)
    return (*own, *chassis, LLDP_CHANGED)


def forwarding_columns(*, by_vlan: bool) -> dict[Oid, int]:
    """Return the columns of the forwarding table: the one of each VLAN, or that of the bridge."""
    table = (VLAN_FDB_PORT, VLAN_FDB_STATUS) if by_vlan else (FDB_PORT, FDB_STATUS)
    return dict.fromkeys((*table, VLAN_FDB_ID) if by_vlan else table, MAX_STATIONS)


def _table(*columns: Oid, limit: int = MAX_INTERFACES) -> Table:
    return Table(columns[:1], dict.fromkeys(columns, limit))

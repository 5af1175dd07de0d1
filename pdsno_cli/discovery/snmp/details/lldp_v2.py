"""LLDP-V2-MIB (IEEE 802.1AB-2009) in the terms of LLDP-MIB, for agents that serve it alone; pure.

Its rows have one more number in their index, the destination address by which the neighbour was
heard; its columns are one further on, and its local ports are numbered by ifIndex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery.snmp.details.tables import (
    LLDP_CHASSIS,
    LLDP_CHASSIS_SUBTYPE,
    LLDP_MANAGEMENT,
    LLDP_REMOTE,
    LLDP_V2_CHASSIS,
    LLDP_V2_CHASSIS_SUBTYPE,
    LLDP_V2_MANAGEMENT,
    LLDP_V2_REMOTE,
    REMOTE_PARTS,
    Tables,
)

if TYPE_CHECKING:
    from pdsno_cli.discovery.snmp.ber import Oid
    from pdsno_cli.discovery.snmp.details.walk import Rows

_KEY = 4  # time, ifIndex, destination, neighbour
_NEIGHBOURS = 1 << 32  # neighbours of one destination


def as_lldp(tables: Tables) -> dict[Oid, Rows]:
    """Return the rows of LLDP-V2-MIB under the OIDs of LLDP-MIB, where ``tables`` has none there."""
    pairs = [
        (LLDP_CHASSIS, LLDP_V2_CHASSIS),
        (LLDP_CHASSIS_SUBTYPE, LLDP_V2_CHASSIS_SUBTYPE),
    ]
    found = {old: rows for old, new in pairs if not tables.get(old) and (rows := tables.get(new))}
    if any(tables.get((*LLDP_REMOTE, part)) for part in REMOTE_PARTS):
        return found
    tables_of = [((*LLDP_REMOTE, part), (*LLDP_V2_REMOTE, part + 1)) for part in REMOTE_PARTS]
    for old, new in (*tables_of, (LLDP_MANAGEMENT, LLDP_V2_MANAGEMENT)):
        found[old] = {
            (*index[:2], index[2] * _NEIGHBOURS + index[3], *index[_KEY:]): value
            for index, value in tables.get(new, {}).items()
            if len(index) >= _KEY
        }
    return found

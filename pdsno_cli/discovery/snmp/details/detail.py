"""Reads the details of one device: walks its tables, and makes a ``Detail`` of what came; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.discovery.snmp.ber import Oid
from pdsno_cli.discovery.snmp.details import bridge, interfaces, lldp_v2, neighbours
from pdsno_cli.discovery.snmp.details.exchange import Task
from pdsno_cli.discovery.snmp.details.tables import (
    BASE_PORT,
    IF_CHANGED,
    LLDP_CHANGED,
    VLAN_FDB_PORT,
    Tables,
    forwarding_columns,
    is_cisco,
    scalars,
    tables,
)
from pdsno_cli.discovery.snmp.details.values import number_of
from pdsno_cli.discovery.snmp.details.walk import Agent, Rows, walk
from pdsno_cli.model.details import MAX_INTERFACES, Detail

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Details

# When the device last changed its interfaces and its neighbours, in hundredths of a second of its
# uptime; None where it does not say.
Marks = tuple[int | None, int | None]
MARKS: tuple[Oid, Oid] = ((*IF_CHANGED, 0), (*LLDP_CHANGED, 0))

_FDDI_VLANS = range(1002, 1006)  # every switch of Cisco's has them, without ports
_SILENT_VLANS = 2


class Reading(NamedTuple):
    """The details of a device; not ``complete`` if its agent fell silent before the end."""

    detail: Detail
    marks: Marks
    complete: bool


def read_detail(wanted: Details, object_id: Oid = ()) -> Task[Reading]:
    """Return the details of a device with this sysObjectID.

    The first request asks for the first row of every table, so a device that serves none costs one.
    """
    agent = Agent()
    candidates = tables(wanted, object_id)
    heads = [head for table in candidates for head in table.heads]
    first = yield from walk(dict.fromkeys((*scalars(wanted), *heads), 1), agent, at_once=True)
    columns: dict[Oid, int] = {}
    for table in candidates:
        if any(first[head] for head in table.heads):
            columns |= table.columns
    found: dict[Oid, Rows] = first | (yield from walk(columns, agent))
    found |= lldp_v2.as_lldp(found)
    stations = None
    if wanted.forwarding:
        found |= yield from walk(forwarding_columns(by_vlan=True), agent)
        instances: dict[int, Tables] = {}
        if not found[VLAN_FDB_PORT]:
            found |= yield from walk(forwarding_columns(by_vlan=False), agent)
            if is_cisco(object_id):
                instances = yield from _instances(found, agent)
        stations = bridge.stations(found, interfaces.names(found), instances)
    return Reading(
        Detail(
            chassis=neighbours.chassis(found),
            interfaces=interfaces.interfaces(found) if wanted.interfaces else (),
            neighbours=neighbours.neighbours(found, interfaces.names(found)),
            vlans=bridge.vlans(found) if wanted.interfaces else (),
            stations=stations,
        ),
        (_mark(found, IF_CHANGED), _mark(found, LLDP_CHANGED)),
        complete=not agent.silent,
    )


def _instances(found: Tables, agent: Agent) -> Task[dict[int, Tables]]:
    """Return ports and forwarding table of each VLAN's bridge, as IOS keeps one for each.

    Where the first VLANs are silent no others are asked: an agent that knows no such communities
    may report each as a wrong one.
    """
    columns = forwarding_columns(by_vlan=False) | {BASE_PORT: MAX_INTERFACES}
    instances: dict[int, Tables] = {}
    silent = 0
    for vlan in bridge.vlans(found):
        if vlan.id in _FDDI_VLANS:
            continue
        one = Agent.asked_least(agent.requests)
        there = yield from walk({BASE_PORT: 1}, one, vlan=vlan.id)
        agent.requests = one.requests
        silent += one.silent
        if silent == _SILENT_VLANS and not instances:
            break
        if there[BASE_PORT]:
            instances[vlan.id] = yield from walk(columns, agent, vlan=vlan.id)
    return instances


def _mark(found: Tables, column: Oid) -> int | None:
    return number_of(next(iter(found.get(column, {}).values()), None))

"""Finds where an end station is plugged in: the switches and ports that lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.discovery.physical.nodes import details

if TYPE_CHECKING:
    from collections.abc import Collection

    from pdsno_cli.discovery.physical.links import PhysicalMap
    from pdsno_cli.discovery.physical.nodes import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A port that leads to a station; ``direct`` if nothing that is known is in between.

    ``own_port`` is the station's own, empty where it is unknown.
    """

    switch: Node
    port: str
    own_port: str = ""
    vlan: int | None
    direct: bool
    evidence: tuple[str, ...]


def places_of_node(map_: PhysicalMap, node: Node) -> list[Place]:
    """Return the ports that a device is plugged into."""
    found = []
    for link in map_.links:
        if link.other is node and link.port:
            switch, port, own = link.node, link.port, link.other_port
        elif link.node is node and link.other_port:
            switch, port, own = link.other, link.other_port, link.port
        else:
            continue
        vlan = _vlan(switch, port, node.macs)
        found.append(
            Place(
                switch=switch,
                port=port,
                own_port=own,
                vlan=vlan,
                direct=not link.shared,
                evidence=link.evidence,
            )
        )
    return found


def places_of_mac(map_: PhysicalMap, mac: str) -> list[Place]:
    """Return the ports behind which a MAC was learned, the one with the fewest others first."""
    found = []
    for node in map_.nodes:
        for detail in details(node):
            stations = detail.stations or ()
            for station in stations:
                if station.mac == mac:
                    others = sum(other.interface == station.interface for other in stations) - 1
                    shared = f", {others} other MACs there" if others else ""
                    place = Place(
                        switch=node,
                        port=station.interface,
                        vlan=station.vlan,
                        direct=not others,
                        evidence=(f"forwarding table{shared}",),
                    )
                    found.append((others, place))
    return [place for _, place in sorted(found, key=lambda pair: pair[0])]


def why_unknown(map_: PhysicalMap, macs: Collection[str]) -> str:
    """Return why no port of a device with these MACs is known, and what to set."""
    silent = "no neighbour names it"
    if not macs:
        return f"{silent}, and its MAC is unknown: ARP shows it on a link, SNMP from an agent"
    if any(one.stations is not None for node in map_.nodes for one in details(node)):
        return f"{silent}, and no forwarding table has its MAC"
    return f"{silent}, and no forwarding tables are read: set discovery.snmp.details: {{forwarding: true}}"


def _vlan(switch: Node, port: str, macs: tuple[str, ...]) -> int | None:
    for detail in details(switch):
        for station in detail.stations or ():
            if station.interface == port and station.mac in macs:
                return station.vlan
        for interface in detail.interfaces:
            if interface.name == port:
                return interface.vlan
    return None

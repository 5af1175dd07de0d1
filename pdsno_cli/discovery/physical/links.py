"""The links of a physical map: from what devices hear by LLDP and CDP, and from forwarding tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pdsno_cli.discovery.physical.nodes import (
    Directory,
    Found,
    Node,
    by_port,
    details,
    merged_neighbours,
    nodes_of,
)
from pdsno_cli.discovery.physical.ports import same_port
from pdsno_cli.model.details import Neighbour


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link between two nodes; a port is empty where its name is unknown.

    ``evidence`` says why it is believed. ``confirmed`` links are seen from both ends. A ``shared`` one
    leads to a port behind which are several stations: something between is unknown.
    """

    node: Node
    port: str
    other: Node
    other_port: str
    evidence: tuple[str, ...]
    confirmed: bool = False
    shared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalMap:
    """The devices of a network and the links between them."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class _Half:
    """What one end of a link says of it."""

    node: Node
    port: str
    other: Node
    other_port: str
    description: str  # of the other port
    protocol: str


def physical_map(found: Iterable[Found]) -> PhysicalMap:
    """Return the map of these devices."""
    nodes = nodes_of(found)
    directory = Directory(nodes)
    heard: dict[str, Node] = {}
    halves = [half for node in nodes for half in _halves(node, directory, heard)]
    links = list(_joined(halves))
    tables = _Tables(nodes, directory, links)
    links += tables.trunks()
    links += tables.stations()
    return PhysicalMap(nodes=(*nodes, *heard.values()), links=tuple(links))


def _halves(node: Node, directory: Directory, heard: dict[str, Node]) -> Iterator[_Half]:
    for item in merged_neighbours(node).values():
        other = directory.of_neighbour(item)
        if other is None:
            other = heard.setdefault(_sign(item), Node(name=_call(item), heard=item))
        if other is not node:
            port, description = by_port(other, item), item.port_description
            yield _Half(node, item.interface, other, port, description, item.protocol.upper())


def _sign(heard: Neighbour) -> str:
    return (heard.chassis or heard.name or heard.address).lower()


def _call(heard: Neighbour) -> str:
    return heard.name or heard.address or heard.chassis or "unknown"


def _joined(halves: Iterable[_Half]) -> Iterator[Link]:
    """Yield the links that these halves describe: two that meet are one link, seen from both ends."""
    between: dict[frozenset[int], list[_Half]] = defaultdict(list)
    for half in halves:
        between[frozenset((id(half.node), id(half.other)))].append(half)
    for group in between.values():
        first = group[0].node
        ours = [half for half in group if half.node is first]
        theirs = [half for half in group if half.node is not first]
        for half in list(ours):
            match = _partner(half, ours, theirs)
            if match is not None:
                ours.remove(half)
                theirs.remove(match)
                yield _link(half, match)
        for half in (*ours, *theirs):
            yield _link(half, None)


def _partner(half: _Half, ours: list[_Half], theirs: list[_Half]) -> _Half | None:
    """Return the other end of a link: its port has the name that this end gives it, or reverse.

    The identifier of a port counts before its description, which may be any text.
    """
    for other in theirs:
        if same_port(half.other_port, other.port) or same_port(other.other_port, half.port):
            return other
    for other in theirs:
        if same_port(half.description, other.port) or same_port(other.description, half.port):
            return other
    return theirs[0] if len(ours) == len(theirs) == 1 else None


def _link(half: _Half, other: _Half | None) -> Link:
    if other is None:
        evidence = (f"{half.protocol} at {half.node.name} only",)
        port = half.other_port
    else:
        heard = " and ".join(sorted({half.protocol, other.protocol}))
        evidence = (f"{heard} at both ends",)
        port = other.port
    return Link(
        node=half.node,
        port=half.port,
        other=half.other,
        other_port=port,
        evidence=evidence,
        confirmed=other is not None,
    )


class _Tables:
    """The forwarding tables: behind which port of which switch each MAC is."""

    def __init__(self, nodes: Iterable[Node], directory: Directory, links: Iterable[Link]) -> None:
        self._directory = directory
        self._ports: dict[Node, dict[str, set[str]]] = {}  # MACs by port, of each switch
        for node in nodes:
            ports: dict[str, set[str]] = defaultdict(set)
            for detail in details(node):
                for station in detail.stations or ():
                    ports[station.interface].add(station.mac)
            if ports:
                self._ports[node] = dict(ports)
        self._linked: dict[Node, list[str]] = defaultdict(list)  # ports that lead to a switch
        self._joined: set[frozenset[int]] = set()
        for link in links:
            self._joined.add(frozenset((id(link.node), id(link.other))))
            for node, port, other in (
                (link.node, link.port, link.other),
                (link.other, link.other_port, link.node),
            ):
                if other in self._ports or other.heard is not None:
                    self._linked[node].append(port)

    def trunks(self) -> Iterator[Link]:
        """Yield the links between switches that see each other with no third one in between."""
        seen = {node: self._switches_seen(node) for node in self._ports}
        switches = list(self._ports)
        for index, node in enumerate(switches):
            for other in switches[index + 1 :]:
                port, back = seen[node].get(other), seen[other].get(node)
                if port is None or back is None or frozenset((id(node), id(other))) in self._joined:
                    continue
                between = any(
                    seen[node].get(third) == port and seen[other].get(third) == back
                    for third in switches
                    if third is not node and third is not other
                )
                if not between:
                    self._linked[node].append(port)
                    self._linked[other].append(back)
                    yield Link(
                        node=node,
                        port=port,
                        other=other,
                        other_port=back,
                        evidence=("forwarding tables of both",),
                        confirmed=True,
                    )

    def _switches_seen(self, node: Node) -> dict[Node, str]:
        """Return the switches whose MACs a switch has learned, with the port of each."""
        found: dict[Node, str] = {}
        for port, macs in self._ports[node].items():
            for mac in macs:
                other = self._directory.of_mac(mac)
                if other is not None and other is not node and other in self._ports:
                    found.setdefault(other, port)
        return found

    def stations(self) -> Iterator[Link]:
        """Yield the link of each device that is behind a port which leads to no other switch."""
        best: dict[Node, tuple[int, Node, str]] = {}
        for node, ports in self._ports.items():
            for port, macs in ports.items():
                if any(same_port(port, linked) for linked in self._linked[node]):
                    continue
                for mac in macs:
                    station = self._directory.of_mac(mac)
                    if station is None or station is node or station in self._ports:
                        continue
                    if station not in best or len(macs) < best[station][0]:
                        best[station] = (len(macs), node, port)
        for station, (count, node, port) in best.items():
            if frozenset((id(node), id(station))) in self._joined:
                continue
            shared = f", which {count} MACs share" if count > 1 else ""
            yield Link(
                node=node,
                port=port,
                other=station,
                other_port="",
                evidence=(f"forwarding table of {node.name}{shared}",),
                shared=count if count > 1 else 0,
            )

"""The physical map for the page: read once for the map and for the links of single devices."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdsno_cli.discovery.physical.links import Link, PhysicalMap
    from pdsno_cli.discovery.physical.nodes import Node
    from pdsno_cli.render.network import Network
    from pdsno_cli.render.network_drawing import Drawn
    from pdsno_cli.web.plane import Plane

_KEEP = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Mapped:
    """A physical map with its nodes by local controller and device, and by MAC."""

    map: PhysicalMap
    by_key: dict[tuple[str, str], Node]
    by_mac: dict[str, Node]


class NetworkReader:
    """Reads the physical map from the stores on this machine, at most once in ``_KEEP`` seconds."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._last: Mapped | None = None
        self._drawing: tuple[Network, Drawn] | None = None

    def get(self) -> Mapped:
        """Return the map; UsageError if no store of a regional controller is here."""
        with self._lock:
            if self._last is None or time.monotonic() - self._at > _KEEP:
                self._last = _read(self._plane)
                self._at = time.monotonic()
            return self._last

    def draw(self, network: Network) -> Drawn:
        """Return the drawing of a network; a large one takes seconds, and changes seldom."""
        from pdsno_cli.render.network_drawing import draw_svg

        drawing = self._drawing
        if drawing is None or drawing[0] != network:
            self._drawing = drawing = network, draw_svg(network)
        return drawing[1]


def _read(plane: Plane) -> Mapped:
    from pdsno_cli.client.network import read_network
    from pdsno_cli.discovery.physical.links import physical_map

    found = physical_map(read_network(plane.topology(), plane.state))
    return Mapped(
        found,
        {item.key: node for node in found.nodes for item in node.found},
        {mac: node for node in found.nodes for mac in node.macs},
    )


def drawn_map(plane: Plane, network: NetworkReader) -> dict[str, Any]:
    """Return the SVG of ``pdsno graph --format html``, its data, and the device of each box."""
    from pdsno_cli.client.drawing import in_order, network_of

    found = network.get().map
    drawn = network.draw(network_of(found, plane.name))
    return {
        "svg": drawn.svg,
        "data": drawn.data,
        "devices": [reference(node) for node in in_order(found)],
        "links": len(found.links),
    }


def links_of(mapped: Mapped, node: Node) -> list[dict[str, Any]]:
    """Return the links of a device, seen from it: its port, then the other end."""
    return [_link(link, node) for link in mapped.map.links if node in (link.node, link.other)]


def reference(node: Node) -> dict[str, Any]:
    """Return how the page names a device; ``address`` is None for one that is only heard of."""
    first = node.found[0] if node.found else None
    return {
        "name": node.name,
        "address": None if first is None else first.device.addresses[0],
        "local": None if first is None else first.local_id,
    }


def _link(link: Link, node: Node) -> dict[str, Any]:
    mine = link.node is node
    return {
        "port": link.port if mine else link.other_port,
        "other": reference(link.other if mine else link.node),
        "other_port": link.other_port if mine else link.port,
        "evidence": list(link.evidence),
        "confirmed": link.confirmed,
    }

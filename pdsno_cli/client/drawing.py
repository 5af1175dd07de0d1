"""Turns the physical map into a network to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.address_numbers import address_order
from pdsno_cli.render.network import ADDRESSES, MACS, Box, Cable, Network

if TYPE_CHECKING:
    from pdsno_cli.discovery.physical.links import PhysicalMap
    from pdsno_cli.discovery.physical.nodes import Node

_FACTS = ("vendor", "os", "version", "model", "serial", "location")
_MOST = 8  # addresses and MACs that are shown of one device


def network_of(map_: PhysicalMap, title: str) -> Network:
    """Return the drawing of a map: regions by name, devices in the order of their addresses."""
    nodes = in_order(map_)
    numbers = {node: number for number, node in enumerate(nodes)}
    cables = [
        Cable(
            box=numbers[link.node],
            port=link.port,
            other=numbers[link.other],
            other_port=link.other_port,
            evidence="; ".join(link.evidence),
            confirmed=link.confirmed or (bool(link.other.found) and not link.shared),
        )
        for link in map_.links
    ]
    return Network(title=title, boxes=tuple(map(_box, nodes)), cables=tuple(cables))


def in_order(map_: PhysicalMap) -> list[Node]:
    """Return the devices of a map in the order of the boxes of its drawing."""
    return sorted(map_.nodes, key=_order)


def _order(node: Node) -> tuple[str, bool, int, str]:
    address = address_order(node.addresses[0]) if node.addresses else -1
    return node.region, not node.found, address, node.name


def _box(node: Node) -> Box:
    facts = [
        (ADDRESSES, _few(node.addresses)),
        (MACS, _few(node.macs)),
        *((name, node.fact(name)) for name in _FACTS),
        ("found by", ", ".join(item.local_id for item in node.found)),
    ]
    if node.heard is not None:
        facts.append(("described as", node.heard.description))
    return Box(
        name=node.name,
        kind=node.fact("type"),
        region=node.region,
        facts=tuple((name, value) for name, value in facts if value),
        known=bool(node.found),
        addresses=node.addresses,
        macs=node.macs,
    )


def _few(values: tuple[str, ...]) -> str:
    more = f" and {len(values) - _MOST} more" if len(values) > _MOST else ""
    return ", ".join(values[:_MOST]) + more

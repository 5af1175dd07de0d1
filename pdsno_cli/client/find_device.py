"""Finds a device of the map by what a person knows of it: an address, a MAC, a name, an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import suggest

if TYPE_CHECKING:
    from pdsno_cli.discovery.physical.links import PhysicalMap
    from pdsno_cli.discovery.physical.nodes import Node


def find_device(map_: PhysicalMap, wanted: str) -> Node | None:
    """Return the device that ``wanted`` names, None if there is none; UsageError if several have it."""
    node = map_.directory.of_address(wanted) or map_.directory.of_mac(normalise_mac(wanted) or "")
    if node is not None:
        return node
    found = [node for node in map_.nodes if wanted.lower() in _names(node)]
    if len(found) > 1:
        addresses = ", ".join(node.addresses[0] for node in found[:5] if node.addresses)
        raise UsageError(f"{len(found)} devices are named {wanted}: name an address ({addresses})")
    return found[0] if found else None


def missing_device(map_: PhysicalMap, wanted: str) -> UsageError:
    """Return the error for a device that is not there, with the nearest name."""
    known = [node.name for node in map_.nodes] + [a for node in map_.nodes for a in node.addresses]
    return UsageError(f"no device {wanted!r}; {suggest(wanted, known)}")


def _names(node: Node) -> set[str]:
    own = {node.name, *(item.device.device_id for item in node.found)}
    names = {name.lower() for name in own}
    return names | {name.split(".")[0] for name in names if not name[0].isdigit()}

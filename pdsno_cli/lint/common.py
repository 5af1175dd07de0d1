"""Queries that several rules share."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pdsno_cli.model.addresses import is_loopback
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressRange, parse_excluded, parse_target
from pdsno_cli.spec.defaults import setting_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Controller, Topology


def one_for_each_key(topology: Topology) -> Iterator[Controller]:
    """Yield the first controller of every key, so that a range is checked once."""
    last = None
    for controller in topology.controllers.values():
        if controller.key != last:
            last = controller.key
            yield controller


def key_of(controller: Controller) -> Where:
    """Return the path of a controller's key in the file."""
    return ("controllers", controller.key)


@lru_cache(maxsize=None)  # noqa: UP033  # bounded by the files that one process reads
def addresses(target: str) -> AddressRange | str:
    """Return the addresses of a target, or why no device can have them, in one sentence."""
    try:
        return parse_target(target)
    except ValueError as exc:
        return str(exc)


def excluded(text: str) -> AddressRange | str:
    """Return the addresses of an excluded range, or why no device can have them, in one sentence."""
    try:
        return parse_excluded(text)
    except ValueError as exc:
        return str(exc)


def local_targets(topology: Topology) -> Iterator[tuple[Controller, int, AddressRange]]:
    """Yield the targets of all local controllers that are address ranges, with their index."""
    for controller in topology.of_role(Role.LOCAL):
        for index, target in enumerate(controller.discovery.targets):
            found = addresses(target)
            if isinstance(found, AddressRange):
                yield controller, index, found


def unknown_regions(topology: Topology, document: Document) -> dict[str, list[Controller]]:
    """Return the regions that controllers name and the file does not declare, with the first of each key."""
    found: dict[str, list[Controller]] = {}
    if "regions" not in document.data and document.has(("regions",)):
        return found  # there were some, but invalid
    for controller in one_for_each_key(topology):
        region = controller.region
        if region is None or region in topology.regions or document.has(("regions", region)):
            continue
        found.setdefault(region, []).append(controller)
    return found


def without_region(topology: Topology) -> bool:
    """Return True if a controller needs a region and has none: its role or its region is missing."""
    return any(
        item.region is None and item.role is not Role.GLOBAL
        for item in topology.controllers.values()
    )


def target_path(document: Document, controller: Controller, index: int) -> Where:
    """Return the path of a controller's target: a list item, a text, or a prefix to split."""
    targets: Where = (*key_of(controller), "discovery", "targets")
    for where in ((*targets, index), (*targets, "split")):
        if document.has(where):
            return where
    return targets


def written(document: Document, controller: Controller, setting: Where) -> Where:
    """Return the path of a controller's effective setting, its own or an inherited one."""
    role, region = controller.role.value, controller.region
    candidates = setting_paths(controller.key, role, region, setting)
    return next((where for where in candidates if document.has(where)), candidates[0])


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of a controller's address, whose form the schema has checked."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def on_several_machines(topology: Topology) -> bool:
    """Return True if controllers may run on several machines: the broker is not on loopback."""
    return not all(is_loopback(address.host) for address in topology.broker.addresses)

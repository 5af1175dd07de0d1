"""PDS216: a lab that does not fit the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.model.targets import AddressRange
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS216"
LOOPBACK = (127 << 24, (128 << 24) - 1)


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for too few targets, too many SNMP agents, and targets off loopback."""
    lab = topology.lab
    if lab is None:
        return
    if lab.snmp > lab.devices:
        yield document.finding(
            CODE,
            f"{lab.snmp} of {lab.devices} devices cannot answer SNMP",
            ("lab", "snmp"),
            hint=f"at most {lab.devices}",
        )
    targets = list(local_targets(topology))
    off = [
        (controller, index)
        for controller, index, found in targets
        if found.first < LOOPBACK[0] or found.last > LOOPBACK[1]
    ]
    most = len(off) > 1 and 2 * len(off) >= len(targets)  # then the lab is the mistake: one finding
    for controller, index in off[:1] if most else off:
        others = f", and neither are {len(off) - 1} other targets" if most else ""
        yield document.finding(
            CODE,
            f"{controller.discovery.targets[index]} is not on loopback, where the lab is{others}",
            target_path(document, controller, index),
            hint="a loopback lab has addresses of 127.0.0.0/8"
            + (": change the targets, or remove the lab" if most else ""),
        )
    available = _count([found for _, _, found in targets])
    with_overlaps = sum(found.last - found.first + 1 for _, _, found in targets)
    elsewhere = any(
        item.discovery.targets and item.role is not Role.LOCAL
        for item in topology.controllers.values()
    )
    # An overlap, and targets of a controller that discovers nothing, are findings already.
    explained = with_overlaps >= lab.devices or elsewhere or _refused(topology)
    if available < lab.devices and document.complete and not explained:
        yield document.finding(
            CODE,
            f"{lab.devices} devices do not fit on the {available} addresses of all targets",
            ("lab", "devices"),
            hint=f"at most {available}, or wider targets",
        )


def _refused(topology: Topology) -> bool:
    """Return True if a target is invalid, so that the number of addresses is not known."""
    return any(
        isinstance(addresses(target), str)
        for controller in topology.of_role(Role.LOCAL)
        for target in controller.discovery.targets
    )


def _count(ranges: list[AddressRange]) -> int:
    """Return the number of distinct addresses in the ranges."""
    total, reached = 0, -1
    for found in sorted(ranges):
        total += max(0, found.last - max(found.first, reached + 1) + 1)
        reached = max(reached, found.last)
    return total


RULE = Rule(code=CODE, name="lab", check=check)

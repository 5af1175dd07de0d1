"""PDS602: a target outside the prefixes of its region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets, target_path
from pdsno_cli.lint.regions import prefix_range, prefixes_of
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS602"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each target with addresses outside, one for a split prefix."""
    declared: dict[str, AddressSet] = {}
    for region in topology.regions.values():
        ranges = [prefix_range(text) for text, _ in prefixes_of(region, document)]
        if ranges:
            declared[region.name] = AddressSet(item for item in ranges if item is not None)
    if not declared:
        return
    reported: set[Where] = set()
    for controller, index, found in local_targets(topology):
        inside = declared.get(controller.region or "")
        if inside is None:
            continue
        own = AddressSet([found])
        address = own.beyond(inside)
        if address is None:
            continue
        where = target_path(document, controller, index)
        if where in reported:
            continue
        reported.add(where)
        text = controller.discovery.targets[index]
        problem = f"{address} of {text} is" if own.within(inside) else f"{text} is"
        prefixes = ", ".join(topology.regions[controller.region or ""].prefixes[:3])
        yield document.finding(
            CODE,
            f"{problem} outside the prefixes of region {controller.region!r}",
            where,
            severity=Severity.WARNING,
            hint=f"move it to the controller of another region, or add its prefix to {prefixes}",
        )


RULE = Rule(code=CODE, name="outside-region", check=check, advice=True)

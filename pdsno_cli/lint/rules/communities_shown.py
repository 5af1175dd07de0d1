"""PDS404: several SNMP communities that are shown to many hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.capacity import ON_LINK
from pdsno_cli.lint.common import local_targets
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import LOOPBACK
from pdsno_cli.spec.defaults import setting_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS404"
FEW = 256  # addresses of a controller: less is a network that somebody knows


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each list with two communities or more, of a controller with many targets."""
    counts: dict[str, int] = {}
    for controller, _, found in local_targets(topology):
        if not (LOOPBACK.first <= found.first and found.last <= LOOPBACK.last):
            name = controller.controller_id
            counts[name] = counts.get(name, 0) + (ON_LINK if found.wide else found.size)
    most: dict[Where, tuple[int, int]] = {}
    for name, count in counts.items():
        controller = topology.controllers[name]
        communities = len(controller.discovery.snmp.communities)
        if communities > 1 and count > FEW:
            paths = setting_paths(
                controller.key,
                controller.role.value,
                controller.region,
                ("discovery", "snmp", "credentials"),
            )
            where = next((path for path in paths if document.has(path)), paths[0])
            most[where] = max(most.get(where, (0, 0)), (count, communities))
    for where, (count, communities) in most.items():
        yield document.finding(
            CODE,
            f"any of {count:,} addresses that answers no other credential is shown "
            f"{communities} SNMP communities",
            where,
            key=True,
            severity=Severity.WARNING,
            hint="use a user with auth and privacy, or give each region the community of its own devices",
        )


RULE = Rule(code=CODE, name="communities-shown", check=check, advice=True)

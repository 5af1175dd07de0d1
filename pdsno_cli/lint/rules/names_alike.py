"""PDS206: two ids or regions that differ in letter case only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS206"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each name that differs from an earlier one in letter case only."""
    ids = ((c.controller_id, ("controllers", c.key)) for c in topology.controllers.values())
    regions = ((name, ("regions", name)) for name in topology.regions)
    for kind, names in (("controller", ids), ("region", regions)):
        seen: dict[str, str] = {}
        reported: set[Where] = set()
        for name, where in names:
            other = seen.setdefault(name.casefold(), name)
            if other != name and where not in reported:
                reported.add(where)
                yield document.finding(
                    CODE,
                    f"the {kind}s {other!r} and {name!r} differ in letter case only",
                    where,
                    key=True,
                    severity=Severity.WARNING,
                    hint="rename one: file systems and readers may confuse the two",
                )


RULE = Rule(code=CODE, name="names-alike", check=check)

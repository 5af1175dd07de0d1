"""PDS207: an id, a region or the root that is not a valid topic level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.topics import level_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS207"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for the root, each region and each key with an invalid id."""
    root: Where = ("topics", "root")
    names: list[tuple[str, str, Where]] = [("topic root", topology.topics.root, root)]
    names += [("region", name, ("regions", name)) for name in topology.regions]
    names += [
        ("controller id", controller.controller_id, ("controllers", controller.key))
        for controller in topology.controllers.values()
    ]
    reported: set[Where] = set()
    for kind, name, where in names:
        problem = level_problem(name)
        if problem is not None and where not in reported:
            reported.add(where)
            shown = name if len(name) <= 60 else f"{name[:60]}…"
            yield document.finding(
                CODE,
                f"invalid {kind} {shown!r}: it {problem}",
                where,
                key=where is not root,
                hint="use letters, digits, '-', '_' and '.'",
            )


RULE = Rule(code=CODE, name="topic-level", check=check)

"""PDS208: a reserved or unusable name of a controller or region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.messages import BROADCAST, OPERATOR
from pdsno_cli.model.topics import GLOBAL, SYSTEM, level_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS208"
LONGEST = 200  # bytes: a controller's files are named after it, and a file name has at most 255


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each region, and each key with an id, that has such a name."""
    root = topology.topics.root
    meanings = {GLOBAL: f"{root}/policy/{GLOBAL}", SYSTEM: f"{root}/events/{SYSTEM}"}
    for region in topology.regions:
        if region in meanings:
            problem: str | None = f"is reserved: {meanings[region]} is not a region's topic"
        else:
            problem = None if region.isprintable() else "contains a character that is not printable"
        if problem is not None:
            yield document.finding(
                CODE,
                f"the region name {region!r} {problem}",
                ("regions", region),
                key=True,
                hint=f"for example: {region}-1" if region in meanings else None,
            )
    reported: set[str] = set()
    for name, controller in topology.controllers.items():
        problem = _problem_of_id(name)
        if problem is not None and controller.key not in reported:
            reported.add(controller.key)
            yield document.finding(
                CODE,
                f"the controller id {name[:60]!r} {problem}",
                ("controllers", controller.key),
                key=True,
                hint=f"for example: {name}-1" if name in (BROADCAST, OPERATOR) else None,
            )


def _problem_of_id(name: str) -> str | None:
    if name == BROADCAST:
        return "is reserved: it is the recipient of every published message"
    if name == OPERATOR:
        return "is reserved: it is the sender of an operator's commands"
    if name in (".", ".."):
        return "is a directory: a controller's files are named after it"
    if level_problem(name) is not None:
        return None  # a finding of topic-level
    if not name.isprintable():
        return "contains a character that is not printable"
    if len(name.encode()) > LONGEST:
        return f"is longer than {LONGEST} bytes: a controller's files are named after it"
    return None


RULE = Rule(code=CODE, name="reserved-name", check=check)

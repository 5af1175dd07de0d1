"""PDS221: a local controller with more addresses than a sweep can cover in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, local_targets
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import MANY, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS221"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for a controller with many addresses, an error for far too many."""
    counts: dict[str, int] = {}
    keys = {}
    for controller, _, found in local_targets(topology):
        name = controller.controller_id
        counts[name] = counts.get(name, 0) + found.last - found.first + 1
        if counts[name] > MANY:
            keys[controller.key] = controller
    for controller in keys.values():
        count = counts[controller.controller_id]
        yield document.finding(
            CODE,
            f"{controller.controller_id!r} has {count:,} addresses to discover",
            (*key_of(controller), "discovery", "targets"),
            key=True,
            severity=Severity.ERROR if count > TOO_MANY else Severity.WARNING,
            hint=f"split them among several local controllers, {MANY:,} or fewer each",
        )


RULE = Rule(code=CODE, name="wide-targets", check=check)

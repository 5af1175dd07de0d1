"""PDS221: a local controller with more addresses than a sweep can cover in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import MANY, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Controller, Topology

CODE = "PDS221"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for a controller with many addresses, an error for far too many."""
    counts: dict[str, int] = {}
    keys = {}
    for controller, _, found in local_targets(topology):
        name = controller.controller_id
        counts[name] = counts.get(name, 0) + (0 if found.wide else found.size)
        if counts[name] > MANY:
            keys[controller.key] = controller
    for controller in keys.values():
        count = counts[controller.controller_id]
        yield document.finding(
            CODE,
            f"{controller.controller_id!r} has {count:,} addresses to discover",
            _place(document, controller),
            severity=Severity.ERROR if count > TOO_MANY else Severity.WARNING,
            hint=f"split them among several local controllers, {MANY:,} or fewer each",
        )


def _place(document: Document, controller: Controller) -> Where:
    """Return the path of the only target, or that of all."""
    if len(controller.discovery.targets) == 1:
        return target_path(document, controller, 0)
    return (*key_of(controller), "discovery", "targets")


RULE = Rule(code=CODE, name="wide-targets", check=check)

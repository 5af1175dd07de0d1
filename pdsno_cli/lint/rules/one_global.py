"""PDS204: no global controller, or more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import without_region
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS204"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding if there is none, and for each key that adds another."""
    # Of several, those in a region are the ones with a wrong role.
    found = sorted(topology.of_role(Role.GLOBAL), key=lambda item: item.region is not None)
    if not found and document.complete and not without_region(topology):
        yield document.finding(
            CODE,
            "no global controller is declared (exactly one is required)",
            ("controllers",),
            key=True,
            hint="for example: global_cntl_1: {role: global}",
        )
    for key in dict.fromkeys(controller.key for controller in found[1:]):
        yield document.finding(
            CODE,
            f"a second global controller: {found[0].controller_id!r} is the first",
            ("controllers", key),
            key=True,
            hint="remove it or change its role: exactly one global controller is required",
        )


RULE = Rule(code=CODE, name="one-global", check=check)

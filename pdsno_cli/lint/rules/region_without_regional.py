"""PDS203: a region that no regional controller serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import unknown_regions, without_region
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import RESERVED_REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS203"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield an error for each region without a regional controller, a warning for an empty one."""
    if unknown_regions(topology, document) or without_region(topology):
        return  # that controller may be the one that is missing here
    # A second global controller in a region is its regional one with a wrong role.
    served = {
        controller.region
        for controller in topology.controllers.values()
        if controller.role is not Role.LOCAL
    }
    alone: dict[str | None, int] = {}
    for controller in topology.of_role(Role.LOCAL):
        alone[controller.region] = alone.get(controller.region, 0) + 1
    for region in topology.regions:
        if region in served or region in RESERVED_REGIONS:
            continue
        count = alone.get(region, 0)
        if not count:
            yield document.finding(
                CODE,
                f"region {region!r} has no controllers",
                ("regions", region),
                key=True,
                severity=Severity.WARNING,
                hint="give it a regional controller, or remove it",
            )
            continue
        locals_ = "its local controller" if count == 1 else f"its {count} local controllers"
        yield document.finding(
            CODE,
            f"region {region!r} has no regional controller to receive the reports of {locals_}",
            ("regions", region),
            key=True,
            hint=f"for example: regional_cntl_{region}_1: {{role: regional, region: {region}}}",
        )


RULE = Rule(code=CODE, name="region-without-regional", check=check, absence=True)

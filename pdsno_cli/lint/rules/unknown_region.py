"""PDS201: a controller names a region that the file does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, unknown_regions
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.names import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS201"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each region that is not declared, where it was renamed or is named first."""
    unknown = unknown_regions(topology, document)
    if not unknown:
        return
    from pdsno_cli.spec.fixes import misspelt_value

    used = {controller.region for controller in topology.controllers.values()}
    unused = [name for name in topology.regions if name not in used]
    for region, controllers in unknown.items():
        wheres: list[Where] = [(*key_of(item), "region") for item in controllers]
        # Controllers that merge one mapping share its line.
        users = len({document.place(where) for where in wheres})
        renamed = nearest(region, unused) or (unused[0] if len(unused) == 1 else None)
        if users > 1 and renamed is not None:
            yield document.finding(
                CODE,
                f"no controller is in region {renamed!r}, and {users} are in an unknown {region!r}",
                ("regions", renamed),
                key=True,
                hint=f"did you mean {region!r}?",
            )
            continue
        more = f", also of {_others(users - 1)}" if users > 1 else ""
        yield document.finding(
            CODE,
            f"unknown region {region!r}{more}",
            wheres[0],
            hint=did_you_mean(region, topology.regions)
            or f"declare it: regions: {{{region}: {{}}}}",
            fix=misspelt_value(document, wheres[0], region, topology.regions) if users == 1 else (),
        )


def _others(count: int) -> str:
    """Return a number of controllers in words."""
    return "another controller" if count == 1 else f"{count} other controllers"


RULE = Rule(code=CODE, name="unknown-region", check=check)

"""PDS201: a controller names a region that the file does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, one_for_each_key
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS201"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each key whose region is not declared."""
    if "regions" not in document.data and document.has(("regions",)):
        return  # there were some, but invalid
    for controller in one_for_each_key(topology):
        region = controller.region
        if region is None or region in topology.regions or document.has(("regions", region)):
            continue
        hint = did_you_mean(region, topology.regions)
        yield document.finding(
            CODE,
            f"unknown region {region!r}",
            (*key_of(controller), "region"),
            hint=hint or f"declare it under regions: {region}: {{}}",
        )


RULE = Rule(code=CODE, name="unknown-region", check=check)

"""PDS202: a regional or local controller without a region, or a global one with a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, one_for_each_key
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS202"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each key whose role and region do not match."""
    globals_ = len(topology.of_role(Role.GLOBAL))
    for controller in one_for_each_key(topology):
        where = key_of(controller)
        if id(document.data["controllers"].get(controller.key)) in document.overfull:
            continue  # its region is that of the entry that is indented like its keys
        if controller.role is Role.GLOBAL:
            if controller.region is not None and globals_ == 1:  # more are a finding of one-global
                yield document.finding(
                    CODE,
                    "'region' has no effect: a global controller belongs to no region",
                    (*where, "region"),
                    key=True,
                    severity=Severity.WARNING,
                    hint="remove 'region'",
                )
        elif controller.region is None and not document.has((*where, "region")):
            known = next(iter(topology.regions), "zone-A")
            yield document.finding(
                CODE,
                f"a {controller.role.value} controller needs a region",
                where,
                key=True,
                hint=f"for example: region: {known}" + ("" if globals_ else ", or role: global"),
            )


RULE = Rule(code=CODE, name="role-without-region", check=check)

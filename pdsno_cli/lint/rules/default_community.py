"""PDS403: the well-known SNMP community on networks other than a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets
from pdsno_cli.lint.declared import declared_communities
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.targets import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS403"
PUBLIC = "public"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each declaration of the community that reaches a real network.

    Where the file declares none, 'public' is a default that no one chose, and no finding.
    """
    if topology.lab is not None:
        return
    written = [where for where, text in declared_communities(document) if text == PUBLIC]
    if not written:
        return
    exposed = {
        controller.key
        for controller, _, found in local_targets(topology)
        if PUBLIC in controller.discovery.snmp.communities
        and not (LOOPBACK.first <= found.first and found.last <= LOOPBACK.last)
    }
    for where in written:
        if where[1] in exposed if where[0] == "controllers" else exposed:
            yield document.finding(
                CODE,
                "the SNMP community 'public' is the first that anybody tries",
                where,
                severity=Severity.WARNING,
                hint='give the agents another one, and write community: "${SNMP_COMMUNITY}"',
            )


RULE = Rule(code=CODE, name="default-community", check=check, advice=True)

"""PDS220: a local controller that cannot find its targets, or discovery settings of another role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.capacity import protocols_of
from pdsno_cli.lint.common import addresses, key_of, one_for_each_key, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressRange, is_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Controller, Topology

CODE = "PDS220"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each key whose role and discovery settings do not match."""
    served = {item.region for item in topology.of_role(Role.REGIONAL)}
    several = len(topology.of_role(Role.GLOBAL)) > 1
    for controller in one_for_each_key(topology):
        # Its role, its region or where it ends is a finding already.
        if (
            (several and controller.role is Role.GLOBAL)
            or (controller.role is Role.LOCAL and controller.region not in served)
            or id(document.data["controllers"].get(controller.key)) in document.overfull
        ):
            continue
        where: Where = (*key_of(controller), "discovery")
        is_local = controller.role is Role.LOCAL
        if not is_local and document.has(where):
            yield document.finding(
                CODE,
                f"a {controller.role.value} controller discovers nothing: discovery settings have no effect on it",
                where,
                key=True,
                severity=Severity.WARNING,
                hint="move it to a local controller, or to defaults",
            )
        elif is_local and not controller.discovery.targets and document.complete:
            yield document.finding(
                CODE,
                f"{controller.controller_id!r} has no targets, so it discovers nothing",
                key_of(controller),
                key=True,
                severity=Severity.WARNING,
                hint="for example: discovery: {targets: [10.0.1.0/24]}",
            )
        elif is_local and "icmp" not in protocols_of(topology, controller):
            yield from _links(controller, document)


def _links(controller: Controller, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for the first IPv6 link whose neighbours no protocol finds."""
    for index, text in enumerate(controller.discovery.targets):
        found = addresses(text)
        if isinstance(found, AddressRange) and is_link(found):
            yield document.finding(
                CODE,
                f"only icmp finds the neighbours on {text}, and {controller.controller_id!r} does not use it",
                target_path(document, controller, index),
                severity=Severity.WARNING,
                hint="add icmp to the protocols, or write addresses in place of the link",
            )
            return


RULE = Rule(code=CODE, name="nothing-to-discover", check=check)

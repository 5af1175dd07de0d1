"""PDS213: a fallback that needs an address (HTTP) between machines, and a receiver without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, on_several_machines, one_for_each_key
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role
from pdsno_cli.model.transports import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS213"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield an error for each receiver without an address; one warning for the default chain."""
    if not on_several_machines(topology):
        return
    for facts in TRANSPORTS:
        if facts.needs_address and topology.uses(facts.name):
            yield from _without_address(facts.name, topology, document)


def _without_address(name: str, topology: Topology, document: Document) -> Iterator[Diagnostic]:
    receivers = [
        controller
        for controller in one_for_each_key(topology)
        if controller.role is not Role.LOCAL and controller.address is None
    ]
    named = any(name in chain for chain in topology.class_fallbacks.values())
    if receivers and not named and not document.has(("fallbacks",)):
        yield document.finding(
            CODE,
            f"{name} is among the default fallbacks, and "
            f"{receivers[0].controller_id!r} has no address for it",
            ("broker",),
            severity=Severity.WARNING,
            hint="give the global and regional controllers an address, or write fallbacks: [mqtt]",
        )
        return
    every = sum(item.role is not Role.LOCAL for item in one_for_each_key(topology))
    if len(receivers) == every > 1 and name in topology.fallbacks:
        yield document.finding(
            CODE,
            f"{name} is a fallback, and no controller has an address for it",
            ("fallbacks", topology.fallbacks.index(name)),
            hint=f"give the global and regional controllers an address, or leave {name} out",
        )
        return
    for controller in receivers:
        yield document.finding(
            CODE,
            f"{name} is a fallback, and {controller.controller_id!r} has no address for it",
            key_of(controller),
            key=True,
            hint=f"for example: address: 10.0.0.5:8443, or leave {name} out of fallbacks",
        )


RULE = Rule(code=CODE, name="http-address", check=check, absence=True)

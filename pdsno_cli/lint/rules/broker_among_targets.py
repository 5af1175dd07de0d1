"""PDS604: a local controller that discovers the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.address_numbers import address_number, address_text
from pdsno_cli.model.addresses import parse_host
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.model.targets import AddressRange
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS604"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each target that contains an address of the broker off loopback."""
    brokers = {}
    for address in topology.broker.addresses:
        host = parse_host(address.host)
        if host is not None and not host.is_loopback and not getattr(host, "scope_id", None):
            brokers[address_number(str(host))] = str(host)
    if not brokers:
        return
    for controller, index, found in local_targets(topology):
        for number, name in brokers.items():
            if found.first <= number <= found.last:
                text = controller.discovery.targets[index]
                what = name if text == name else f"{name} in {text}"
                yield document.finding(
                    CODE,
                    f"{controller.controller_id!r} discovers the broker, {what}",
                    target_path(document, controller, index),
                    severity=Severity.WARNING,
                    hint=_without(text, found, number),
                )


def _without(text: str, found: AddressRange, number: int) -> str:
    """Return what to write in place of a target, so that it leaves out an address."""
    if found.wide:
        return f"to leave it out, write exclude: [{address_text(number)}]"
    spans = [(found.first, number - 1), (number + 1, found.last)]
    rest = [
        address_text(first) + (f"-{address_text(last)}" if first < last else "")
        for first, last in spans
        if first <= last
    ]
    return f"to leave it out, write {', '.join(rest)}" if rest else f"remove {text}"


RULE = Rule(code=CODE, name="broker-among-targets", check=check, advice=True)

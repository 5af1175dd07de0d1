"""PDS604: a local controller that discovers the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import local_targets, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.addresses import parse_host
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS604"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each target that is an address of the broker off loopback.

    A prefix or span that contains it is a network that the broker is in, which is usual.
    """
    brokers = {}
    for address in topology.broker.addresses:
        host = parse_host(address.host)
        if host is not None and host.version == 4 and not host.is_loopback:
            brokers[int(host)] = str(host)
    if not brokers:
        return
    for controller, index, found in local_targets(topology):
        for number, name in brokers.items():
            if found.first == number == found.last:
                yield document.finding(
                    CODE,
                    f"{controller.controller_id!r} has the broker, {name}, for a target",
                    target_path(document, controller, index),
                    severity=Severity.WARNING,
                    hint=f"remove {controller.discovery.targets[index]}, or name what it discovers",
                )


RULE = Rule(code=CODE, name="broker-among-targets", check=check, advice=True)

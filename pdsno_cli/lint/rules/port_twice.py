"""PDS215: two listeners on the same port of one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import split_address
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.addresses import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS215"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each address whose host and port an earlier listener uses."""
    taken: dict[tuple[str, int], str] = {}
    broker = topology.broker
    if broker.port:
        taken["127.0.0.1", broker.port] = "the broker"
    for address in broker.addresses:
        taken[_host(address.host), address.port] = "the broker"
    reported: set[str] = set()
    for controller in topology.controllers.values():
        if controller.address is None:
            continue
        host, port = split_address(controller.address)
        name = f"{controller.controller_id!r}"
        other = taken.setdefault((_host(host), port), name)
        if other is not name and controller.key not in reported:
            reported.add(controller.key)
            where: Where = ("controllers", controller.key, "address")
            yield document.finding(
                CODE,
                f"{name} and {other} both listen on port {port} of {host}",
                where,
                hint="change one of the two ports",
            )


def _host(host: str) -> str:
    return "127.0.0.1" if is_loopback(host) else host.lower().rstrip(".")


RULE = Rule(code=CODE, name="port-twice", check=check)

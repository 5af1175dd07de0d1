"""PDS217: a controller that the others cannot reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.broker_access import broker_left_out
from pdsno_cli.lint.common import (
    key_of,
    on_several_machines,
    one_for_each_key,
    split_address,
)
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.addresses import is_loopback, name_problem, parse_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS217"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each unusable address, and for a broker out of reach."""
    spread = on_several_machines(topology)
    hosts: dict[str, str] = {}
    for controller in one_for_each_key(topology):
        if controller.address is None:
            continue
        host, port = split_address(controller.address)
        if not is_loopback(host):
            hosts.setdefault(host.lower(), controller.controller_id)
        problem = _problem(host, port, spread=spread)
        if problem is not None:
            yield document.finding(
                CODE,
                f"{controller.controller_id!r} is unreachable at {controller.address}: {problem}",
                (*key_of(controller), "address"),
                hint="name the address that other controllers connect to, for example 10.0.0.5:8443",
            )
    if not spread and len(hosts) > 1 and not broker_left_out(topology, document):
        (first, one), (second, other) = list(hosts.items())[:2]
        yield document.finding(
            CODE,
            f"{one!r} and {other!r} run on two machines, {first} and {second}, and the broker "
            "is on loopback: one of them cannot reach it",
            ("broker", "hosts" if document.has(("broker", "hosts")) else "host"),
            hint="name a broker that both reach: broker: {host: …}",
        )


def _problem(host: str, port: int, *, spread: bool) -> str | None:
    if not 1 <= port <= 65_535:
        return f"invalid port {port} (1 to 65535)"
    address = parse_host(host)
    invalid = name_problem(host)
    if invalid is not None:
        return invalid[0]
    if address is not None and address.is_unspecified:
        return f"{host} is for listening, not an address to connect to"
    if address is not None and address.is_multicast:
        return f"{host} is a multicast group"
    if spread and is_loopback(host):
        return "it is loopback, and other controllers may run on other machines"
    return None


RULE = Rule(code=CODE, name="unreachable", check=check)

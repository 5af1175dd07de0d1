"""PDS502: a fallback that no message can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import split_address
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.addresses import is_loopback
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.topics import CLASSES
from pdsno_cli.model.transports import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS502"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for a chain that every class replaces, and for a bus between machines."""
    if document.has(("fallbacks",)) and len(topology.class_fallbacks) == len(CLASSES):
        yield document.finding(
            CODE,
            "'fallbacks' has no effect: every class of topics has its own",
            ("fallbacks",),
            key=True,
            severity=Severity.WARNING,
            hint="remove it, or the fallbacks of a class under topics",
        )
        return
    machines = _machines(topology)
    if len(machines) < 2:
        return
    chains: list[tuple[tuple[str, ...], Where]] = []
    if document.has(("fallbacks",)):
        chains.append((topology.fallbacks, ("fallbacks",)))
    chains += [
        (chain, ("topics", name, "fallbacks")) for name, chain in topology.class_fallbacks.items()
    ]
    for chain, where in chains:
        for index, transport in enumerate(chain):
            if not FACTS[transport].between_processes:
                yield document.finding(
                    CODE,
                    f"the {transport} is never used: it is for controllers of one process, and "
                    f"these run on {machines[0]}, {machines[1]}{' …' if machines[2:] else ''}",
                    (*where, index),
                    severity=Severity.WARNING,
                    hint=f"remove {transport} from the chain",
                )


def _machines(topology: Topology) -> list[str]:
    """Return the hosts of the controllers' addresses, each once."""
    hosts: dict[str, None] = {}
    for controller in topology.controllers.values():
        if controller.address is not None:
            host, _ = split_address(controller.address)
            if not is_loopback(host):
                hosts[host.lower().rstrip(".")] = None
    return list(hosts)


RULE = Rule(code=CODE, name="dead-fallback", check=check, advice=True)

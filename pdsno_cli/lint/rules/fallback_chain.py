"""PDS212: a fallback chain without a usable transport, or with a duplicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.transports import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS212"
_STATUS = ("topics", "status", "fallbacks")
EXAMPLE = "for example: fallbacks: [mqtt, http, bus]"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield findings about the topology's chain and those of single classes."""
    yield from _chain(topology.fallbacks, ("fallbacks",), document)
    # A chain of status that was refused is a finding already, and what it names is not known.
    lost = document.has(_STATUS) and "status" not in topology.class_fallbacks
    status = FACTS if lost else topology.chain("status")
    for name, chain in topology.class_fallbacks.items():
        where = ("topics", name, "fallbacks")
        yield from _chain(chain, where, document)
        for index, transport in enumerate(chain):
            if FACTS[transport].between_processes and transport not in status:
                yield document.finding(
                    CODE,
                    f"{name} can use {transport}, and status cannot",
                    (*where, index),
                    severity=Severity.WARNING,
                    hint=f"add {transport} to topics.status.fallbacks, or parents will mark these controllers down",
                )


def _chain(chain: tuple[str, ...], where: Where, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for an empty chain, one that works only within one process, and duplicates."""
    if not chain:
        yield document.finding(
            CODE,
            "the chain names no transport, so no message can be sent",
            where,
            hint=EXAMPLE,
        )
    elif not any(FACTS[transport].between_processes for transport in chain):
        yield document.finding(
            CODE,
            f"the {chain[0]} exists only within one process: between processes the chain is empty",
            (*where, 0),
            hint=f"add mqtt before it; `pdsno up --in-process` uses the {chain[0]} anyway",
        )
    for index, transport in enumerate(chain):
        if transport in chain[:index]:
            yield document.finding(
                CODE,
                f"duplicate transport {transport} in the chain",
                (*where, index),
                hint="remove one of the two",
            )


RULE = Rule(code=CODE, name="fallback-chain", check=check)

"""PDS313: a broker whose queue is full before a declared outage ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.capacity import capacity
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.durations import format_about, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS313"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield one warning, about the busiest consumer, if the queue does not last for the outage."""
    outage = topology.broker.outage
    if outage is None:
        return
    known = [item for item in capacity(topology).consumers if item.lasts is not None]
    shortest = min(known, key=lambda item: item.lasts or 0.0, default=None)
    if shortest is None or shortest.lasts is None or shortest.queue is None:
        return
    if shortest.lasts < outage:
        yield document.finding(
            CODE,
            f"the broker queues {shortest.queue:,} messages for {shortest.key!r}, which last "
            f"{format_about(shortest.lasts)} and not {format_duration(outage)}",
            ("broker", "outage"),
            severity=Severity.WARNING,
            hint=f"have it queue {outage / shortest.lasts * shortest.queue:.0f} or more, and write "
            "that as broker.queue; or a shorter outage: what it drops is sent again",
        )


RULE = Rule(code=CODE, name="broker-queue", check=check, advice=True)

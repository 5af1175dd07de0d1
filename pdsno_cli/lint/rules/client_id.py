"""PDS304: a client id that is longer than the broker accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.brokers import FACTS
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS304"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each key with an id whose client id is too long."""
    broker = topology.broker
    limit = broker.client_id_limit
    if limit is None and broker.kind is not None:
        limit = FACTS[broker.kind].client_id
    if limit is None:
        return
    prefix = topology.topics.root + "-"  # as runtime/mqtt_wiring.py makes it
    room = limit - len(prefix.encode())
    reported: set[str] = set()
    for name, controller in topology.controllers.items():
        size = len(name.encode())
        if size > room and controller.key not in reported:
            reported.add(controller.key)
            yield document.finding(
                CODE,
                f"the client id {prefix + name!r} has {size + limit - room} bytes, "
                f"and the broker accepts {limit}",
                key_of(controller),
                key=True,
                severity=Severity.WARNING,
                hint=f"shorten the id to {room} bytes" if room > 0 else "shorten topics.root",
            )


RULE = Rule(code=CODE, name="client-id", check=check, advice=True)

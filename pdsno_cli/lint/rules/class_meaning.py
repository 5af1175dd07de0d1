"""PDS209: a QoS or retain flag that contradicts the meaning of its class of topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.topics import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS209"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each QoS or retain flag that the meaning of its class forbids."""
    for name, rule in topology.topics.rules.items():
        item = CLASSES[name]
        if rule.qos < item.min_qos:
            yield document.finding(
                CODE,
                f"{name} at QoS {rule.qos} can be lost unnoticed",
                ("topics", name, "qos"),
                hint=f"write qos: {item.min_qos}, or more",
            )
        if item.retain is not None and rule.retain is not item.retain:
            problem = "must be retained" if item.retain else "must not be retained"
            yield document.finding(
                CODE,
                f"{name} {problem}",
                ("topics", name, "retain"),
                hint=f"write retain: {str(item.retain).lower()}"
                + (f": {item.why}" if item.why else ""),
            )


RULE = Rule(code=CODE, name="class-meaning", check=check)

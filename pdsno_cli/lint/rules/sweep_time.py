"""PDS311: a discovery cycle that can take longer than its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.capacity import sweeps
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.durations import format_duration
from pdsno_cli.model.targets import MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS311"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each key whose addresses do not fit into an interval.

    More addresses than wide-targets allows are its finding, and a timeout that does not fit for one
    address is none of this rule.
    """
    for item in sweeps(topology):
        if item.seconds <= item.interval or item.addresses > MANY or item.least > item.interval:
            continue
        taken = round(item.seconds)
        yield document.finding(
            CODE,
            f"{item.protocol} to {item.addresses:,} addresses takes up to {format_duration(taken)}, "
            f"longer than the interval of {format_duration(item.interval)}",
            ("controllers", item.key, "discovery", "targets"),
            key=True,
            severity=Severity.WARNING,
            hint=f"split them among several local controllers, or interval: {_longer(taken)}",
        )


def _longer(seconds: int) -> str:
    """Return the next full minute as a duration."""
    return f"{seconds // 60 + 1}m"


RULE = Rule(code=CODE, name="sweep-time", check=check, advice=True)

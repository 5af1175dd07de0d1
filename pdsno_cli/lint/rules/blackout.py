"""PDS226: an invalid blackout, or blackouts that leave no time to discover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import one_for_each_key, written
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model import blackouts
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS226"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each blackout that is no time, and for those that last all week."""
    reported: set[Where] = set()
    for item in one_for_each_key(topology):
        where = written(document, item, ("discovery", "blackout"))
        if where in reported or not item.discovery.blackout:
            continue
        reported.add(where)
        found = []
        for index, text in enumerate(item.discovery.blackout):
            try:
                found.append(blackouts.parse(text))
            except ValueError as exc:
                hint = "for example: 22:00-02:00, or Sat 00:00-24:00 for a whole day"
                yield document.finding(CODE, str(exc), (*where, index), hint=hint)
        if blackouts.whole_week(found):
            yield document.finding(
                CODE,
                "the blackouts last all week: nothing is ever discovered",
                where,
                key=True,
                severity=Severity.WARNING,
                hint="leave some time between them",
            )


RULE = Rule(code=CODE, name="blackout", check=check)

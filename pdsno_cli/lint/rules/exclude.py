"""PDS225: an invalid range of excluded addresses, or one that leaves nothing to discover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, excluded, one_for_each_key, written
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.target_problems import target_problem
from pdsno_cli.model.targets import AddressRange, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS225"
_EXAMPLE = "for example: 10.0.1.250, 10.0.1.16/28 or 10.0.1.1-10.0.1.9"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each invalid range, and a warning for targets that are all excluded."""
    reported: set[Where] = set()
    for item in one_for_each_key(topology):
        left_out = item.discovery.exclude
        where = written(document, item, ("discovery", "exclude"))
        if not left_out or where in reported:
            continue
        for index, text in enumerate(left_out):
            problem = excluded(text)
            if isinstance(problem, str):
                reported.add(where)
                meant = None if "contains" in problem else target_problem(text)[1]
                hint = f"did you mean {meant}?" if meant else _EXAMPLE
                yield document.finding(CODE, problem, (*where, index), hint=hint)
        targets = _set(map(addresses, item.discovery.targets))
        if targets and not targets.without(_set(map(excluded, left_out))):
            yield document.finding(
                CODE,
                f"every target of {item.controller_id} is excluded: it discovers nothing",
                where,
                key=True,
                severity=Severity.WARNING,
                hint="exclude fewer addresses, or remove the controller",
            )


def _set(ranges: Iterable[AddressRange | str]) -> AddressSet:
    return AddressSet(found for found in ranges if isinstance(found, AddressRange))


RULE = Rule(code=CODE, name="exclude", check=check)

"""PDS211: an invalid range of addresses, or one with addresses that no device has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, one_for_each_key, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.targets import reserved_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS211"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each invalid target."""
    for controller in one_for_each_key(topology):
        for index, target in enumerate(controller.discovery.targets):
            where = target_path(document, controller, index)
            yield from check_target(document, target, where)


def check_target(document: Document, target: str, where: Where) -> Iterator[Diagnostic]:
    """Yield a finding if ``target``, at ``where``, is invalid."""
    problem = _problem(target)
    if problem is not None:
        yield document.finding(
            CODE,
            problem,
            where,
            hint="for example: 10.0.1.0/24, 10.0.1.1-10.0.1.30 or 10.0.1.7",
        )


def _problem(target: str) -> str | None:
    found = addresses(target)
    if isinstance(found, str):
        return found
    words = reserved_addresses(found)
    return None if words is None else f"{target!r} contains {words}"


RULE = Rule(code=CODE, name="target-range", check=check)

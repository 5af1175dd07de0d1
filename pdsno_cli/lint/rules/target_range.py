"""PDS211: an invalid range of addresses, or one with addresses that no device has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, one_for_each_key, target_path
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.target_problems import target_problem

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
            if isinstance(addresses(target), str):
                yield from check_target(document, target, target_path(document, controller, index))


def check_target(document: Document, target: str, where: Where) -> Iterator[Diagnostic]:
    """Yield a finding if ``target``, at ``where``, is invalid."""
    problem = addresses(target)
    if isinstance(problem, str):
        meant = None if "contains" in problem else target_problem(target)[1]
        hint = "for example: 10.0.1.0/24, 10.0.1.1-10.0.1.30 or 10.0.1.7"
        if ":" in target:
            hint = "for example: fd00:1::/64, fd00:1::1-fd00:1::30 or fd00:1::7"
        yield document.finding(
            CODE, problem, where, hint=f"did you mean {meant}?" if meant else hint
        )


RULE = Rule(code=CODE, name="target-range", check=check)

"""PDS211: a target that is no range of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses, one_for_each_key, target_place
from pdsno_cli.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS211"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each target that cannot be read."""
    for controller in one_for_each_key(topology):
        for index, target in enumerate(controller.discovery.targets):
            problem = addresses(target)
            if isinstance(problem, str):
                yield document.finding(
                    CODE,
                    problem,
                    target_place(document, controller, index),
                    hint="for example: 10.0.1.0/24, 10.0.1.1-10.0.1.30 or 10.0.1.7",
                )


RULE = Rule(code=CODE, name="target-range", check=check)

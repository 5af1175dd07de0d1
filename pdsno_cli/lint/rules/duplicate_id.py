"""PDS205: two keys whose ranges contain the same controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.spec import ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS205"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each key that contains an id of an earlier key."""
    keys: list[str] = list(document.data["controllers"])
    if not any("[" in key for key in keys):
        return  # plain keys are unique: the reader has checked that
    for key in keys:
        try:
            taken = [name for name in ranges.expand(key) if topology.controllers[name].key != key]
        except ValueError:
            continue  # a malformed range is a finding already
        if taken:
            first = document.span(("controllers", topology.controllers[taken[0]].key), key=True)
            more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
            yield document.finding(
                CODE,
                f"duplicate id {taken[0]!r}{more}, first at line {first.line}",
                ("controllers", key),
                key=True,
                hint="controller ids must be unique: change one of the two keys",
            )


RULE = Rule(code=CODE, name="duplicate-id", check=check)

"""PDS503: a key that another one replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.deprecated import uses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic, Edit
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS503"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:  # noqa: ARG001 - each rule takes both
    """Yield a warning for each deprecated key, once where an alias repeats it."""
    seen: set[tuple[int, str]] = set()
    for where, node, item in uses(document):
        if (id(node), item.key) in seen:
            continue
        seen.add((id(node), item.key))
        fix: tuple[Edit, ...] = ()
        if item.instead is None:
            message, hint = f"{item.key!r} is deprecated and has no effect", "remove it"
        elif document.entry(node, item.instead) != document.entry(node, item.key):
            message = f"{item.key!r} is deprecated, and has no effect beside {item.instead!r}"
            hint = "remove it"
        else:
            message, hint = f"{item.key!r} is deprecated", f"rename it to {item.instead!r}"
            fix = (document.replacement(where, item.instead, key=True),)
        yield document.finding(
            CODE, message, where, key=True, severity=Severity.WARNING, hint=hint, fix=fix
        )


RULE = Rule(code=CODE, name="deprecated-key", check=check, advice=True)

"""PDS222: a database of stores that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.declared import declared
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.names import did_you_mean
from pdsno_cli.model.stores import FACTS, STORES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS222"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:  # noqa: ARG001 - each rule takes both
    """Yield a finding for each URL whose scheme no store has; references are not looked into."""
    for where, url in declared(document, "nib"):
        scheme, found, _ = url.partition("://")
        if url.startswith("file:") or "${" in scheme or (found and scheme in FACTS):
            continue
        example = f"for example: nib: {STORES[0].example}"
        if not found:
            yield document.finding(CODE, "'nib' takes a URL", where, hint=example)
        elif scheme == "sqlite":
            hint = "leave out 'nib': the store is then an SQLite file in the state directory"
            yield document.finding(CODE, "'nib' cannot name an SQLite file", where, hint=hint)
        else:
            hint = did_you_mean(scheme, FACTS) or example
            yield document.finding(CODE, f"unknown kind of database {scheme!r}", where, hint=hint)


RULE = Rule(code=CODE, name="store-url", check=check)

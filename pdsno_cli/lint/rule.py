"""The type of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.spec.document import Document
from pdsno_cli.spec.topology import Topology

Check = Callable[[Topology, Document], Iterable[Diagnostic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: ``check`` yields its findings, all of which carry ``code``.

    ``absence`` marks a rule about missing entries. It is skipped for a file with invalid parts,
    since the missing entry may be among them. ``advice`` marks a rule about topologies that can run;
    it is skipped for a file with errors, since they are often the cause of what it would find.
    """

    code: str
    name: str
    check: Check
    absence: bool = False
    advice: bool = False

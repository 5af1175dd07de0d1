"""Runs every rule on a file, and returns only topologies without errors to run."""

from __future__ import annotations

import importlib
import os
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pdsno_cli.lint import rules
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.errors import InvalidTopologyError
from pdsno_cli.spec.load import load, no_collection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pdsno_cli.lint.rule import Rule
    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.load import Loaded
    from pdsno_cli.spec.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file after all rules; ``topology`` is None if a finding is an error."""

    path: str
    topology: Topology | None
    diagnostics: tuple[Diagnostic, ...]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule by code: each module of ``lint.rules`` holds one, as ``RULE``."""
    found: list[Rule] = [
        importlib.import_module(f"{rules.__name__}.{module.name}").RULE
        for module in pkgutil.iter_modules(rules.__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.code))


def check(path: Path | str, *, environment: Mapping[str, str] | None = None) -> Checked:
    """Load a file and run every rule; UsageError if it cannot be read.

    ``environment`` is that of ``load``. Without it the findings depend on the file alone, and the
    topology lacks the values with a reference that has no default.
    """
    with no_collection():
        loaded = load(path, environment=environment)
        diagnostics = [*loaded.diagnostics, *_findings(loaded)]
    diagnostics.sort(key=lambda item: item.sort_key)
    failed = any(item.severity is Severity.ERROR for item in diagnostics)
    return Checked(
        path=str(path),
        topology=None if failed else loaded.topology,
        diagnostics=tuple(diagnostics),
    )


def _findings(loaded: Loaded) -> Iterator[Diagnostic]:
    topology, document = loaded.topology, loaded.document
    if topology is None or document is None:
        return
    for rule in all_rules():
        if document.complete or not rule.absence:
            yield from rule.check(topology, document)


def require(path: Path | str) -> Topology:
    """Return the topology of a file that can be run here, with the variables of this process.

    InvalidTopologyError carries all findings, warnings too; UsageError if the file is unreadable.
    """
    checked = check(path, environment=os.environ)
    if checked.topology is None:
        raise InvalidTopologyError(checked.diagnostics)
    return checked.topology

"""Runs every rule on a file, and returns only topologies without errors to run."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pdsno_cli.lint.catalogue import all_rules
from pdsno_cli.lint.settings import Choice, Settings, settings_of
from pdsno_cli.lint.suppress import suppress
from pdsno_cli.model.diagnostics import Diagnostic, Severity
from pdsno_cli.model.errors import InvalidTopologyError
from pdsno_cli.spec import codes
from pdsno_cli.spec.load import each_once, load, no_collection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pdsno_cli.spec.load import Loaded
    from pdsno_cli.spec.topology import Topology

__all__ = ["Checked", "all_rules", "check", "require"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file after all rules; ``topology`` is None if a finding is an error.

    ``diagnostics`` are the findings that count. ``prevents`` are those that prevent a run although
    they are ignored: the part of the file that they are about could not be read.
    """

    path: str
    topology: Topology | None
    diagnostics: tuple[Diagnostic, ...]
    prevents: tuple[Diagnostic, ...] = ()


def check(
    path: Path | str,
    *,
    environment: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    raw: bytes | None = None,
) -> Checked:
    """Load a file, or ``raw`` under its name, and run every rule; UsageError if unreadable.

    Comments in the file and ``settings`` decide which of the findings count. ``environment`` is that
    of ``load``. Without it the findings depend on the file alone, and the topology lacks the values
    with a reference that has no default.
    """
    choice = settings.of(str(path)) if settings is not None else Choice()
    with no_collection():
        loaded = load(path, environment=environment, raw=raw)
        found = [*loaded.diagnostics, *each_once(_findings(loaded))]
        ignored: list[Diagnostic] = []
        if loaded.document is not None:
            complete = loaded.topology is not None and loaded.document.complete
            found, ignored = suppress(
                found, loaded.document, selected=choice.selects, complete=complete
            )
    diagnostics = sorted(_chosen(found, choice), key=lambda item: item.sort_key)
    counted = {id(item) for item in diagnostics}
    prevents = tuple(
        item for item in (*found, *ignored) if _loses_part(item) and id(item) not in counted
    )
    failed = prevents or any(item.severity is Severity.ERROR for item in diagnostics)
    return Checked(
        path=str(path),
        topology=None if failed else loaded.topology,
        diagnostics=tuple(diagnostics),
        prevents=prevents,
    )


def _chosen(found: Iterable[Diagnostic], choice: Choice) -> Iterator[Diagnostic]:
    for item in found:
        if choice.selects(item.code):
            level = choice.level(item.code, item.severity)
            yield item if level is item.severity else replace(item, severity=level)


def _loses_part(item: Diagnostic) -> bool:
    """Return True if the part of the file that a finding is about is not in the topology."""
    lost = item.code < "PDS2" and item.code != codes.UNKNOWN_KEY
    return lost and item.severity is Severity.ERROR


def _findings(loaded: Loaded) -> Iterator[Diagnostic]:
    topology, document = loaded.topology, loaded.document
    if topology is None or document is None:
        return
    failed = any(item.severity is Severity.ERROR for item in loaded.diagnostics)
    for rule in sorted(all_rules(), key=lambda rule: rule.advice):
        if (rule.absence and not document.complete) or (rule.advice and failed):
            continue
        for item in rule.check(topology, document):
            failed = failed or item.severity is Severity.ERROR
            yield item


def require(path: Path | str) -> Topology:
    """Return the topology of a file that can be run here, with the variables of this process.

    InvalidTopologyError carries all findings, warnings too; UsageError if the file or the nearest
    configuration is unreadable.
    """
    checked = check(path, environment=os.environ, settings=settings_of(path))
    if checked.topology is None:
        raise InvalidTopologyError((*checked.diagnostics, *checked.prevents))
    return checked.topology

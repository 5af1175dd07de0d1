"""Checks the files of one ``pdsno validate``, fixes them if asked to, and compares with a baseline."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.cli.formats.base import Report
from pdsno_cli.cli.target import SUFFIXES
from pdsno_cli.cli.walk import walk
from pdsno_cli.lint.engine import check
from pdsno_cli.lint.settings import read, settings_of
from pdsno_cli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pdsno_cli.lint.settings import Settings
    from pdsno_cli.model.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to check: the files, the settings beside those of configuration files, the baseline."""

    files: Sequence[str]
    config: Path | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    baseline: Path | None = None
    write_baseline: bool = False
    fix: bool = False
    diff: bool = False
    environment: Mapping[str, str] | None = None  # of ``spec.load.load``

    def settings(self, path: str) -> Settings:
        """Return the settings for a file; UsageError if its configuration is invalid."""
        if self.config is None:
            found = settings_of(path)
        else:
            found = read(self.config) or _without_section(self.config)
        return found.narrowed(select=self.select, ignore=self.ignore)


@dataclass(slots=True)
class Outcome:
    """What a run found and did; ``diffs`` are the changes that ``--diff`` shows."""

    report: Report
    fixed: int = 0
    diffs: list[str] = field(default_factory=list)


def run(request: Request) -> Outcome:
    """Check every file; UsageError if a configuration or the baseline is invalid."""
    known = None
    if request.baseline is not None:
        from pdsno_cli.lint import baseline as baselines

        known = None if request.write_baseline else baselines.read(request.baseline)
    found: list[Diagnostic] = []
    checked: list[str] = []
    unreadable: list[tuple[str, str]] = []
    outcome = Outcome(Report(diagnostics=(), files=()))
    for path in walk(request.files):
        if Path(path).is_dir():
            reason = f"cannot read {path}: it holds no {' or '.join(SUFFIXES)} file"
            unreadable.append((path, reason))
            continue
        settings = request.settings(path)
        try:
            found += _check(path, settings, request, outcome)
        except UsageError as exc:
            unreadable.append((path, str(exc)))
        else:
            checked.append(path)
    found.sort(key=lambda item: item.sort_key)
    accepted = 0
    if request.write_baseline and request.baseline is not None:
        if unreadable:
            raise UsageError(f"no baseline is written: {unreadable[0][1]}")
        baselines.write(request.baseline, found)
        found, accepted = [], len(found)
    elif known is not None:
        found, accepted = known.compare(found, checked)
    outcome.report = Report(
        diagnostics=found, files=checked, unreadable=unreadable, accepted=accepted
    )
    return outcome


def _check(
    path: str, settings: Settings, request: Request, outcome: Outcome
) -> Sequence[Diagnostic]:
    if not (request.fix or request.diff):
        return check(path, environment=request.environment, settings=settings).diagnostics
    from pdsno_cli.lint.fixing import fix
    from pdsno_cli.spec.load import read_topology

    raw = read_topology(path)
    fixed = fix(path, raw, settings, request.environment)
    if fixed.content != raw:
        outcome.fixed += fixed.applied
        if request.diff:
            outcome.diffs.append(_diff(path, raw, fixed.content))
        else:
            _replace(Path(path), fixed.content)
    return fixed.checked.diagnostics


def _diff(path: str, before: bytes, after: bytes) -> str:
    import difflib

    old, new = (_lines(text.decode("utf-8")) for text in (before, after))
    name = Path(path).as_posix()
    lines = difflib.unified_diff(old, new, f"a/{name.lstrip('/')}", f"b/{name.lstrip('/')}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    """Return the lines as diff and patch count them, with their ends."""
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step, with the mode it had; a link stays one."""
    import tempfile

    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(target.stat().st_mode & 0o7777)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise UsageError(f"cannot write {path}: {exc.strerror}") from exc


def _without_section(file: Path) -> Settings:
    raise UsageError(f"{file}:1:1: has no [tool.pdsno]")

"""``pdsno validate``: prints every finding of every file in one run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import SUFFIXES, choose_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic

FORMATS = ("full", "concise", "json")


def validate(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Topology files; - is stdin, directories walk."),
    ],
    format_: Annotated[
        str, typer.Option("--format", metavar="full|concise|json", help="Output format.")
    ] = "full",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings.")] = False,
    env: Annotated[
        bool, typer.Option("--env", help="Use this shell's variables; unset ones are errors.")
    ] = False,
) -> None:
    """Check topology files; nothing is started.

    Reports every finding of YAML syntax, schema and rules. Exits with 0 without errors, 1 with errors, 2 if a file cannot be read.
    """
    from pdsno_cli.cli import report
    from pdsno_cli.lint.engine import check
    from pdsno_cli.model.diagnostics import Severity
    from pdsno_cli.model.errors import UsageError

    wanted = choose_format(format_, FORMATS, as_json=as_json)
    diagnostics: list[Diagnostic] = []
    unreadable: list[tuple[str, str]] = []
    checked = 0
    for path in _walk(files):
        if Path(path).is_dir():
            reason = f"cannot read {path}: it holds no {' or '.join(SUFFIXES)} file"
            unreadable.append((path, reason))
            continue
        try:
            diagnostics += check(path, environment=os.environ if env else None).diagnostics
            checked += 1
        except UsageError as exc:
            unreadable.append((path, str(exc)))
    diagnostics.sort(key=lambda item: item.sort_key)
    if wanted == "json":
        console.data(report.json_(diagnostics, files=checked, unreadable=unreadable))
    elif diagnostics:
        render = report.full if wanted == "full" else report.concise
        console.data(render(diagnostics, colour=console.colour(sys.stdout)))
    for _, reason in unreadable:
        console.fail(reason)
    if checked:
        console.progress(report.summary(diagnostics, checked))
    if unreadable:
        raise typer.Exit(UsageError.exit_code)
    failing = [d for d in diagnostics if strict or d.severity is Severity.ERROR]
    raise typer.Exit(1 if failing else 0)


def _walk(names: list[str]) -> Iterator[str]:
    """Yield each file once, and for a directory every topology below it except hidden ones.

    A directory without a topology is yielded itself.
    """
    seen: set[str] = set()
    for name in names:
        found = sorted(_below(name)) if Path(name).is_dir() else []
        for path in found or [name]:
            if path not in seen:
                seen.add(path)
                yield path


def _below(directory: str) -> Iterator[str]:
    for folder, folders, names in os.walk(directory):
        folders[:] = [entry for entry in folders if not entry.startswith(".")]
        for entry in names:
            if entry.endswith(SUFFIXES) and not entry.startswith("."):
                yield str(Path(folder, entry))

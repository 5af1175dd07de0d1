"""Where findings go: ``--format`` to stdout, ``--format FORMAT=PATH`` to files, and GitHub's summary."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.args import choose_format
from pdsno_cli.cli.formats import FORMATS, render
from pdsno_cli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.cli.formats.base import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The format of stdout, and the files with theirs."""

    stdout: str
    files: tuple[tuple[str, Path], ...] = ()

    def write(self, report: Report) -> None:
        """Write the files, then stdout; UsageError if a file cannot be written."""
        for name, path in self.files:
            text = render(name, report)
            try:
                path.write_text(text, "utf-8", errors="backslashreplace")
            except OSError as exc:
                raise UsageError(f"cannot write {path}: {exc.strerror}") from exc
        if "github" in (self.stdout, *(name for name, _ in self.files)):
            _step_summary(report)
        text = render(self.stdout, replace(report, colour=console.colour(sys.stdout)))
        if text:
            console.data(text)


def choose_outputs(values: Sequence[str], *, as_json: bool) -> Outputs:
    """Return the outputs that ``--format`` selects; UsageError for an unknown format.

    Without one for stdout, that is ``full``, in GitHub Actions ``github``.
    """
    stdout = ["json"] if as_json else []
    files = []
    for value in values:
        name, equals, path = value.partition("=")
        name = choose_format(name, tuple(FORMATS))
        if equals and not path:
            raise UsageError(f"--format {value}: name a file after '=', as in {name}=report")
        if equals and path != "-":
            files.append((name, Path(path)))
        else:
            stdout.append(name)
    if len(set(stdout)) > 1:
        raise UsageError(
            f"stdout has one format, not {' and '.join(stdout)}: write the others to files, "
            f"as in --format {stdout[1]}=PATH"
        )
    github = os.environ.get("GITHUB_ACTIONS") == "true"
    default = "github" if github else "full"
    return Outputs(stdout=stdout[0] if stdout else default, files=tuple(files))


def _step_summary(report: Report) -> None:
    from pdsno_cli.cli.formats.github import not_shown, step_summary

    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(step_summary(report))
        except OSError as exc:
            console.progress(f"cannot write the step summary {path}: {exc.strerror}")
    if hidden := not_shown(report):
        console.progress(f"{hidden} findings are not shown as annotations")

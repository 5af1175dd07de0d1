"""``github``: workflow commands, which GitHub Actions shows as annotations, and a step summary.

GitHub shows 10 errors and 10 warnings of a step and drops the rest without a word, so the number
that it drops is an annotation of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.cli.formats.base import repository_path, text_of
from pdsno_cli.cli.report import count
from pdsno_cli.cli.report import summary as closing
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.printable import printable, printable_lines

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report
    from pdsno_cli.model.diagnostics import Diagnostic

MOST_SHOWN = 10  # annotations of one severity in a step
_MOST_ROWS = 200  # a step summary may have 1 MiB


def render(report: Report) -> str:
    """Return one command a line, errors first."""
    ordered = sorted(report.diagnostics, key=lambda item: item.severity is not Severity.ERROR)
    lines = [f"::error title=pdsno::{_data(reason)}" for _, reason in report.unreadable]
    lines += [_command(item) for item in ordered]
    if hidden := not_shown(report):
        lines.append(
            f"::notice title=pdsno::{hidden} more findings are in the log: "
            f"GitHub shows {MOST_SHOWN} errors and {MOST_SHOWN} warnings of a step"
        )
    return "".join(f"{line}\n" for line in lines)


def not_shown(report: Report) -> int:
    """Return the number of findings that GitHub will not show as annotations."""
    found = {severity: count(report.diagnostics, severity) for severity in Severity}
    found[Severity.ERROR] += len(report.unreadable)
    return sum(max(0, n - MOST_SHOWN) for n in found.values())


def step_summary(report: Report) -> str:
    """Return the Markdown for ``$GITHUB_STEP_SUMMARY``."""
    lines = [f"### pdsno validate: {closing(report.diagnostics, len(report.files))}", ""]
    lines += [f"- {_cell(reason)}" for _, reason in report.unreadable]
    if report.diagnostics:
        lines += ["", "| place | severity | code | finding |", "|---|---|---|---|"]
        lines += [_row(item) for item in report.diagnostics[:_MOST_ROWS]]
    if left := len(report.diagnostics) - _MOST_ROWS:
        lines += ["", f"{left} more findings are in the log."] if left > 0 else []
    if hidden := not_shown(report):
        lines += ["", f"{hidden} findings are not shown as annotations."]
    return "\n".join(lines) + "\n"


def _command(item: Diagnostic) -> str:
    place = f"file={_property(repository_path(item.path))}"
    if item.line:
        place += f",line={item.line},endLine={item.end_line},col={item.column}"
        if item.end_line == item.line:  # GitHub refuses an end column on another line
            place += f",endColumn={item.end_column}"
    return f"::{item.severity.value} {place},title={item.code}::{_data(text_of(item))}"


def _data(text: str) -> str:
    return printable_lines(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _row(item: Diagnostic) -> str:
    place = f"{repository_path(item.path)}:{item.line}:{item.column}"
    return f"| {_cell(place)} | {item.severity.value} | {item.code} | {_cell(text_of(item))} |"


def _cell(text: str) -> str:
    clean = printable(text).replace("\\", "\\\\").replace("|", "\\|")
    return clean.replace("<", "&lt;").replace("`", "\\`")

"""``full``, for people: each finding with its source line, a caret under the place, and its hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.cli import report as text
from pdsno_cli.cli.formats.statistics import statistics

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report


def render(report: Report) -> str:
    """Return the findings, or a table of their codes."""
    if report.statistics:
        return statistics(report)
    return text.full(report.diagnostics, colour=report.colour)

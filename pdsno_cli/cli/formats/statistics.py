"""The table of ``--statistics``: how often each code was found, and how often it can be fixed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pdsno_cli.cli.table import table
from pdsno_cli.lint.catalogue import names

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report


def statistics(report: Report) -> str:
    """Return a row for each code, empty without findings."""
    counts = report.counts()
    fixable = Counter(item.code for item in report.diagnostics if item.fix)
    rows = [(str(n), code, names().get(code, ""), str(fixable[code])) for code, n in counts]
    return table(("findings", "code", "rule", "fixable"), rows) if rows else ""

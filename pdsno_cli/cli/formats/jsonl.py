"""``jsonl``, for streams: the findings of ``json``, one a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pdsno_cli.cli.formats.json_ import finding

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report


def render(report: Report) -> str:
    """Return the lines; a file that cannot be read has one with ``unreadable``."""
    rows = [finding(item) for item in report.diagnostics]
    rows += [{"path": path, "unreadable": reason} for path, reason in report.unreadable]
    return "".join(json.dumps(row) + "\n" for row in rows)

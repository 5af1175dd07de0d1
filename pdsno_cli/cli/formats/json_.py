"""``json``, for programs: one document with counts, findings and their fixes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli.report import count
from pdsno_cli.lint.catalogue import names
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report
    from pdsno_cli.model.diagnostics import Diagnostic

FORMAT_VERSION = 1


def render(report: Report) -> str:
    """Return the document."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "files": len(report.files),
        **{f"{severity.value}s": count(report.diagnostics, severity) for severity in Severity},
        "accepted": report.accepted,
        "findings": [finding(item) for item in report.diagnostics],
        "unreadable": [{"path": path, "message": reason} for path, reason in report.unreadable],
    }
    if report.statistics:
        document["statistics"] = [
            {"code": code, "name": names().get(code), "findings": n} for code, n in report.counts()
        ]
    return json.dumps(document, indent=2) + "\n"


def finding(item: Diagnostic) -> dict[str, Any]:
    """Return the members of one finding; positions count characters from 1, 0 is the whole file."""
    return {
        "path": item.path,
        "line": item.line,
        "column": item.column,
        "end_line": item.end_line,
        "end_column": item.end_column,
        "severity": item.severity.value,
        "code": item.code,
        "message": item.message,
        "hint": item.hint,
        "fix": [asdict(edit) for edit in item.fix],
    }

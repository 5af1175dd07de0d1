"""``gitlab``: a Code Quality report of GitLab, which merges entries of equal fingerprint into one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli.formats.base import repository_path, text_of
from pdsno_cli.lint.fingerprints import fingerprints
from pdsno_cli.model.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_UNREADABLE = "unreadable"


def render(report: Report) -> str:
    """Return a list of issues, empty without findings."""
    unread = [
        Diagnostic(path=path, line=1, column=1, code=_UNREADABLE, message=reason)
        for path, reason in report.unreadable
    ]
    found = [*unread, *report.diagnostics]
    prints = fingerprints(found, repository_path)
    issues = [_issue(item, print_) for item, print_ in zip(found, prints, strict=True)]
    return json.dumps(issues, indent=2) + "\n"


def _issue(item: Diagnostic, print_: str) -> dict[str, Any]:
    severity = "blocker" if item.code == _UNREADABLE else _SEVERITIES[item.severity]
    return {
        "description": text_of(item),
        "check_name": item.code,
        "fingerprint": print_,
        "severity": severity,
        "location": {
            "path": repository_path(item.path),
            "lines": {"begin": max(item.line, 1), "end": max(item.end_line, 1)},
        },
    }

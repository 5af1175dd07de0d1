"""``sarif``: the Static Analysis Results Interchange Format 2.1.0, for code scanning.

GitHub ignores ``originalUriBaseIds``, takes columns from 1 only, and 25,000 results at most.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pdsno_cli import __version__
from pdsno_cli.cli.formats.base import repository_path
from pdsno_cli.lint.catalogue import documentation, help_uri, names
from pdsno_cli.lint.fingerprints import fingerprints
from pdsno_cli.lint.pages import pages
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report
    from pdsno_cli.model.diagnostics import Diagnostic, Edit

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 25_000


def render(report: Report) -> str:
    """Return one log with one run."""
    by_severity = sorted(report.diagnostics, key=lambda item: item.severity is not Severity.ERROR)
    shown = by_severity[:MOST_RESULTS]
    prints = fingerprints(shown, repository_path)
    index = {code: number for number, code in enumerate(names())}
    notes = [_note(reason, path) for path, reason in report.unreadable]
    if left := len(by_severity) - len(shown):
        notes.append(_note(f"{left} more findings are left out: a run holds {MOST_RESULTS}"))
    run = {
        "tool": {
            "driver": {
                "name": "pdsno",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": documentation() or "urn:pdsno:rules",
                "rules": [_rule(code, name) for code, name in names().items()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not report.unreadable, "toolExecutionNotifications": notes}
        ],
        "results": [
            _result(item, index[item.code], print_)
            for item, print_ in zip(shown, prints, strict=True)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, name: str) -> dict[str, Any]:
    words = name.replace("-", " ")
    page = pages().get(code)
    text = page.text if page is not None else words
    examples = "".join(
        f"\n\n{title}:\n\n```yaml\n{example}```"
        for title, example in (("Breaks it", page and page.bad), ("Does not", page and page.good))
        if example
    )
    first = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": words.capitalize()},
        "fullDescription": {
            "text": first[:1024]
        },  # GitHub refuses a rule without one, or a longer one
        "helpUri": help_uri(code, documentation()),
        "help": {"text": text, "markdown": f"{text}{examples}"},
    }


def _result(item: Diagnostic, index: int, print_: str) -> dict[str, Any]:
    text = f"{item.message}\n{item.hint}" if item.hint else item.message
    location: dict[str, Any] = {"artifactLocation": _artifact(item.path)}
    if item.line:
        location["region"] = _region(item)
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": item.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"pdsnoFinding/v1": print_},
    }
    if item.fix:
        replacements = [
            {"deletedRegion": _region(edit), "insertedContent": {"text": edit.text}}
            for edit in item.fix
        ]
        change = {"artifactLocation": _artifact(item.path), "replacements": replacements}
        result["fixes"] = [{"artifactChanges": [change]}]
    return result


def _region(item: Diagnostic | Edit) -> dict[str, int]:
    return {
        "startLine": item.line,
        "startColumn": max(item.column, 1),
        "endLine": item.end_line,
        "endColumn": max(item.end_column, 1),
    }


def _artifact(path: str) -> dict[str, str]:
    name = repository_path(path)
    uri = quote(os.fsencode(name))  # a colon as well, or the first segment would read as a scheme
    return {"uri": f"file://{uri}" if name.startswith("/") else uri}


def _note(text: str, path: str | None = None) -> dict[str, Any]:
    note: dict[str, Any] = {"level": "error", "message": {"text": text}}
    if path is not None:
        note["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(path)}}]
    return note

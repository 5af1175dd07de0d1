"""A baseline: findings of today that are accepted, so that only new ones fail."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.lint.fingerprints import fingerprints
from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.model.errors import UsageError
from pdsno_cli.spec import codes
from pdsno_cli.spec.document import excerpt, split_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    fingerprint: str
    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The content of a baseline file; its paths are relative to the folder of the file."""

    file: Path
    text: str
    entries: tuple[_Entry, ...]

    def compare(
        self, diagnostics: Sequence[Diagnostic], checked: Collection[str]
    ) -> tuple[list[Diagnostic], int]:
        """Return the findings that are not accepted, with one for each stale entry, and the rest's number.

        An entry is stale if its file was ``checked``, or is gone, and has no such finding.
        """
        known = {entry.fingerprint for entry in self.entries}
        found = fingerprints(diagnostics, self._name)
        new = [item for item, print_ in zip(diagnostics, found, strict=True) if print_ not in known]
        accepted = len(diagnostics) - len(new)
        seen, names = set(found), {self._name(path) for path in checked}
        new += [
            self._stale(entry)
            for entry in self.entries
            if entry.fingerprint not in seen
            and (entry.path in names or not (self.file.parent / entry.path).exists())
        ]
        return new, accepted

    def _name(self, path: str) -> str:
        return _relative(path, self.file)

    def _stale(self, entry: _Entry) -> Diagnostic:
        lines = split_lines(self.text)
        quoted = json.dumps(entry.fingerprint)
        line, column = next(
            ((n, text.index(quoted) + 1) for n, text in enumerate(lines, 1) if quoted in text),
            (1, 1),
        )
        return Diagnostic(
            path=str(self.file),
            line=line,
            column=column,
            end_column=column + len(quoted),
            code=codes.STALE_BASELINE,
            message=f"{entry.path} no longer has this {entry.code}: {entry.message}",
            hint="remove the entry: add --write-baseline",
            excerpt=excerpt(lines, line),
        )


def read(file: Path) -> Baseline:
    """Return the content of a baseline file; UsageError if it is not one."""
    try:
        text = file.read_bytes().decode()
    except OSError as exc:
        hint = "; --write-baseline makes it" if isinstance(exc, FileNotFoundError) else ""
        raise UsageError(f"cannot read {file}: {exc.strerror}{hint}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{file}:1:1: not UTF-8: save the file as UTF-8") from exc
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as exc:
        line, column = getattr(exc, "lineno", 1), getattr(exc, "colno", 1)
        raise UsageError(f"{file}:{line}:{column}: not valid JSON; {_REMEDY}") from exc
    return Baseline(file=file, text=text, entries=_entries(file, content))


def write(file: Path, diagnostics: Sequence[Diagnostic]) -> None:
    """Write a baseline that accepts ``diagnostics``, one a line; UsageError if it cannot be written."""
    found = fingerprints(diagnostics, lambda path: _relative(path, file))
    rows = [
        json.dumps(
            {
                "path": _relative(item.path, file),
                "code": item.code,
                "message": item.message,
                "fingerprint": print_,
            },
            ensure_ascii=False,
        )
        for item, print_ in zip(diagnostics, found, strict=True)
    ]
    body = ",\n    ".join(rows)
    findings = f"[\n    {body}\n  ]" if rows else "[]"
    try:
        file.write_text(
            f'{{\n  "format_version": {FORMAT_VERSION},\n  "findings": {findings}\n}}\n', "utf-8"
        )
    except OSError as exc:
        raise UsageError(f"cannot write {file}: {exc.strerror}") from exc


_REMEDY = "make it again with --write-baseline"


def _entries(file: Path, content: Any) -> tuple[_Entry, ...]:
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        raise UsageError(
            f"{file}:1:1: not a baseline of format_version {FORMAT_VERSION}; {_REMEDY}"
        )
    rows = content.get("findings")
    keys = ("fingerprint", "path", "code", "message")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in rows
    ):
        raise UsageError(f"{file}:1:1: 'findings' is not a list of findings; {_REMEDY}")
    return tuple(_Entry(**{key: row[key] for key in keys}) for row in rows)


def _relative(path: str, file: Path) -> str:
    if path == "-":
        return path
    return Path(os.path.relpath(Path(path).absolute(), file.absolute().parent)).as_posix()

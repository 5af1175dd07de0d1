"""A finding about a topology file: what is wrong, where, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """The severity of a finding; only errors prevent a run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    ``line`` and ``column`` count from 1; 0 marks a finding about the whole file.
    ``end_column`` is one past the last column of the excerpt to underline, on the same line.
    ``code`` is ``PDS`` and three digits, documented in ``docs/rules.md``.
    ``hint`` is a fix, for example the nearest valid name. ``excerpt`` is the source line, so that a
    report needs no file: standard input cannot be read twice.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    severity: Severity = Severity.ERROR
    hint: str | None = None
    end_column: int | None = None
    excerpt: str | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of print: by file, then by position, then by rule."""
        return (self.path, self.line, self.column, self.code, self.message)

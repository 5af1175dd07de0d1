"""A finding about a topology file: what is wrong, where, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """The severity of a finding; only errors prevent a run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a file's text: the range, counted from 1, and what replaces it.

    ``end_column`` is one past the last column replaced; an empty range inserts.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    ``line`` and ``column`` count from 1; 0 marks a finding about the whole file. The range ends
    before ``end_column`` of ``end_line``. ``code`` is ``PDS`` and three digits, documented in
    ``docs/rules.md``. ``hint`` says what to type, for example the nearest valid name. ``fix`` are the
    edits that apply it, where that is safe: they keep what the file means to say. ``excerpt`` is the
    source line, so that a report needs no file: standard input cannot be read twice.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    severity: Severity = Severity.ERROR
    hint: str | None = None
    end_line: int = 0
    end_column: int = 0
    excerpt: str | None = None
    fix: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        """Give a finding without a range that of one character."""
        if not self.end_line:
            object.__setattr__(self, "end_line", self.line)
        if not self.end_column:
            object.__setattr__(self, "end_column", self.column + 1 if self.line else 0)

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order of print: by file, then by position, then by rule."""
        return (self.path, self.line, self.column, self.code, self.message)

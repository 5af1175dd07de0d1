"""Applies the fixes of findings to a file's text, and keeps only those that make it better."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.lint.engine import check
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.document import line_starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pdsno_cli.lint.engine import Checked
    from pdsno_cli.lint.settings import Settings
    from pdsno_cli.model.diagnostics import Diagnostic, Edit

_ROUNDS = 10  # a fix may show what it hid
_SINGLY = 200  # fixes tried one by one in a round, each with a check of the file
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A file after its fixes: the new content, and how many fixes it contains."""

    content: bytes
    applied: int
    checked: Checked


def fix(
    path: str, raw: bytes, settings: Settings, environment: Mapping[str, str] | None = None
) -> Fixed:
    """Return the content of a file with every fix that leaves it no worse.

    ``environment`` is that of ``spec.load.load``.
    """
    judge = partial(check, path, settings=settings, environment=environment)
    bom, body = (_BOM, raw[len(_BOM) :]) if raw.startswith(_BOM) else (b"", raw)
    checked = judge(raw=body)
    applied = 0
    for _ in range(_ROUNDS):
        wanted = [item.fix for item in checked.diagnostics if item.fix]
        if not wanted:
            break
        try:
            text = body.decode()
        except UnicodeDecodeError:
            break
        step = _Step(text, checked, judge)
        taken = step.take(wanted)
        if not taken:
            break
        applied += taken
        body, checked = step.text.encode(), step.checked
    return Fixed(content=bom + body, applied=applied, checked=checked)


class _Step:
    """One round: all fixes at once, or one by one where that makes the file worse."""

    def __init__(self, text: str, checked: Checked, judge: Callable[..., Checked]) -> None:
        self.text = text
        self.checked = checked
        self._judge = judge

    def take(self, wanted: Sequence[tuple[Edit, ...]]) -> int:
        """Apply fixes that do not touch the same text; return how many were taken."""
        chosen = _apart(wanted)
        if self._better(self.text, chosen):
            return len(chosen)
        # From the end, so that the positions of those before stay right.
        text, taken = self.text, 0
        for one in sorted(chosen, key=_place, reverse=True)[:_SINGLY]:
            if self._better(text, [one]):
                text, taken = self.text, taken + 1
        return taken

    def _better(self, text: str, fixes: Sequence[tuple[Edit, ...]]) -> bool:
        changed = apply(text, [edit for one in fixes for edit in one])
        if changed == text:
            return False
        after = self._judge(raw=changed.encode())
        worse = _badness(after.diagnostics) > _badness(self.checked.diagnostics)
        if worse or _words(after) == _words(self.checked):
            return False
        self.text, self.checked = changed, after
        return True


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return ``text`` with ``edits``, which do not overlap, made."""
    starts = line_starts(text)

    def offset(line: int, column: int) -> int:
        start = starts[line - 1] if line <= len(starts) else len(text)
        return min(start + column - 1, len(text))

    parts, end = [], 0
    for edit in sorted(edits, key=lambda e: (e.line, e.column)):
        first, last = offset(edit.line, edit.column), offset(edit.end_line, edit.end_column)
        parts += [text[end:first], edit.text]
        end = last
    return "".join((*parts, text[end:]))


def _apart(wanted: Iterable[tuple[Edit, ...]]) -> list[tuple[Edit, ...]]:
    """Return fixes none of whose edits overlap, the first of those that do."""
    chosen: list[tuple[Edit, ...]] = []
    end = (0, 0)
    for one in sorted(set(wanted), key=_place):
        first, last = _place(one), max((edit.end_line, edit.end_column) for edit in one)
        if first >= end:
            chosen.append(one)
            end = last
    return chosen


def _place(one: tuple[Edit, ...]) -> tuple[int, int]:
    return min((edit.line, edit.column) for edit in one)


def _badness(diagnostics: Sequence[Diagnostic]) -> tuple[bool, int, int]:
    """Return how bad a file is: unreadable at all, then its errors, then all its findings."""
    errors = sum(1 for item in diagnostics if item.severity is Severity.ERROR)
    unread = any(item.code < "PDS006" for item in diagnostics)
    return unread, errors, len(diagnostics)


def _words(checked: Checked) -> list[tuple[str, str]]:
    return sorted((item.code, item.message) for item in checked.diagnostics)

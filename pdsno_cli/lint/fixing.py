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
    try:
        first = _Step(body.decode(), checked, judge)
    except UnicodeDecodeError:
        return Fixed(content=raw, applied=0, checked=checked)
    step, applied = _all(first) or _carefully(first)
    return Fixed(content=bom + step.text.encode(), applied=applied, checked=step.checked)


def _all(step: _Step) -> tuple[_Step, int] | None:
    """Apply every fix until there is none; None if that is worse in the end.

    In between a file may have more findings, since a fix shows what it hid.
    """
    before, applied = step.checked, 0
    for _ in range(_ROUNDS):
        chosen = step.wanted()
        if not chosen:
            break
        step = step.after(step.text, chosen)
        applied += len(chosen)
    worse = _badness(step.checked.diagnostics) > _badness(before.diagnostics)
    return (
        None if worse or (applied and _words(step.checked) == _words(before)) else (step, applied)
    )


def _carefully(step: _Step) -> tuple[_Step, int]:
    """Apply each round's fixes one by one, those alone that leave the file no worse."""
    applied = 0
    for _ in range(_ROUNDS):
        before, text, taken = step.checked, step.text, 0
        # From the end, so that the positions of those before stay right.
        for one in sorted(step.wanted(), key=_place, reverse=True)[:_SINGLY]:
            next_ = step.after(text, [one])
            worse = _badness(next_.checked.diagnostics) > _badness(step.checked.diagnostics)
            if not worse and _words(next_.checked) != _words(step.checked):
                step, text, taken = next_, next_.text, taken + 1
        if not taken or _words(step.checked) == _words(before):
            break
        applied += taken
    return step, applied


@dataclass(frozen=True, slots=True)
class _Step:
    """A text on the way, with its findings."""

    text: str
    checked: Checked
    judge: Callable[..., Checked]

    def wanted(self) -> list[tuple[Edit, ...]]:
        """Return the fixes of the findings, of those that overlap the first."""
        return _apart(item.fix for item in self.checked.diagnostics if item.fix)

    def after(self, text: str, fixes: Iterable[tuple[Edit, ...]]) -> _Step:
        """Return ``text`` with ``fixes`` made, and checked."""
        changed = apply(text, [edit for one in fixes for edit in one])
        return _Step(changed, self.judge(raw=changed.encode()), self.judge)


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

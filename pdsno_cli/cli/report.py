"""Lays findings out as text: for people (``full``), for editors and grep (``concise``)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pdsno_cli.cli.table import plural
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic

_WIDTH = 100  # columns of source that an excerpt shows
_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\033[1;31m", "\033[1;33m", "\033[1;34m", "\033[1m", "\033[0m"
_PAINT = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW}


def concise(diagnostics: Sequence[Diagnostic], *, colour: bool = False) -> str:
    """Return one line for each finding: ``path:line:col: severity[code] message``."""
    return "".join(f"{_head(item, colour=colour)}\n" for item in diagnostics)


def full(diagnostics: Sequence[Diagnostic], *, colour: bool = False) -> str:
    """Return each finding with its source line, a caret under the place, and its hint."""
    return "\n".join(_block(item, colour=colour) for item in diagnostics)


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """Return the closing line, for example ``3 errors, 1 warning in 2 files``."""
    counts = {severity: count(diagnostics, severity) for severity in Severity}
    found = ", ".join(plural(n, severity.value) for severity, n in counts.items() if n)
    return f"{found} in {plural(files, 'file')}" if found else f"{plural(files, 'file')} ok"


def count(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    """Return how many findings are of ``severity``."""
    return sum(1 for item in diagnostics if item.severity is severity)


def _head(item: Diagnostic, *, colour: bool) -> str:
    place = f"{item.path}:{item.line}:{item.column}" if item.line else item.path
    kind = f"{item.severity.value}[{item.code}]"
    if colour:
        kind = f"{_PAINT[item.severity]}{kind}{_PLAIN}"
        return f"{_BOLD}{printable(place)}:{_PLAIN} {kind} {printable(item.message)}"
    return f"{printable(place)}: {kind} {printable(item.message)}"


def _block(item: Diagnostic, *, colour: bool) -> str:
    paint, margin, plain = (_PAINT[item.severity], _BLUE, _PLAIN) if colour else ("", "", "")
    lines = [_head(item, colour=colour)]
    gutter = " " * len(str(item.line))
    if item.excerpt is not None:
        source, column, length = _window(item)
        lines += [
            f" {margin}{item.line} |{plain} {source}".rstrip(),
            f" {margin}{gutter} |{plain} {' ' * column}{paint}{'^' * length}{plain}",
        ]
    if item.hint:
        lines.append(f" {margin}{gutter} ={plain} {printable(item.hint)}")
    return "\n".join(lines) + "\n"


def _window(item: Diagnostic) -> tuple[str, int, int]:
    """Return the part of the source line around the finding, its column in it, and its length."""
    source = "".join(c if c.isprintable() else " " for c in item.excerpt or "")
    column = min(max(item.column - 1, 0), len(source))
    last = item.end_column - 1 if item.end_line == item.line else len(source)
    end = max(last, column + 1)
    start = 0 if len(source) <= _WIDTH else max(0, column - _WIDTH // 2)
    shown = source[start : start + _WIDTH]
    lead = "…" if start else ""
    tail = "…" if start + _WIDTH < len(source) else ""
    column = column - start + len(lead)
    length = max(1, min(end - start + len(lead), len(lead) + len(shown)) - column)
    line = f"{lead}{shown}{tail}"
    return line, cells(line[:column]), max(1, cells(line[column : column + length]) or length)


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )

"""Finds the ``# pdsno: ignore[PDS###] reason`` comments of a topology file.

libyaml drops comments, so they are searched in the source; its events tell which of the places found
are inside a quoted text or a block of text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import ScalarEvent, StreamEndEvent

from pdsno_cli.spec.document import line_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.document import Document

_PARSER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_BREAKS = "\r\n\x85\u2028\u2029"
_COMMENT = re.compile(rf"#[ \t]*pdsno:[ \t]*(?P<body>[^{_BREAKS}]*)")
_IGNORE = re.compile(r"(?P<kind>ignore-file|ignore)[ \t]*\[(?P<codes>[^\]]*)\]")
_MEANT = re.compile(r"ign|noqa|disable|skip|.*\bPDS\d", re.IGNORECASE)  # else it is prose
_WORD = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A code as written in a comment, with its column, counted from 1."""

    text: str
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment for pdsno.

    ``line`` and ``column`` count from 1; ``start`` is the column from which it can be removed, 1 if
    it has the line to itself. ``applies`` is the line that it is about, None for the whole file.
    ``valid`` is False if its form is not known.
    """

    line: int
    column: int
    end_column: int
    start: int
    applies: int | None
    codes: tuple[Listed, ...] = ()
    valid: bool = True


def find(document: Document) -> list[Comment]:
    """Return the comments of a file, in order."""
    text = document.text
    found = [
        match
        for match in _COMMENT.finditer(text)
        if _MEANT.match(match["body"])
        and (match.start() == 0 or text[match.start() - 1] in " \t" + _BREAKS)
    ]
    quoted = _inside_scalars(text, [match.start() for match in found])
    return list(_comments(document, [m for m in found if m.start() not in quoted]))


def _inside_scalars(text: str, places: list[int]) -> set[int]:
    """Return those of ``places``, ascending, that are inside a scalar and so no comments."""
    inside: set[int] = set()
    if not places:
        return inside
    following = iter(places)
    place: int | None = next(following)
    get = _PARSER(text).get_event
    while place is not None:
        event = get()
        kind = type(event)
        if kind is StreamEndEvent:
            break
        if kind is not ScalarEvent or event.end_mark.index <= place:
            continue
        start, end = event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):  # a comment may stand in the line that opens a block
            start = _line_end(text, start)
        while place is not None and place < end:
            if place > start:
                inside.add(place)
            place = next(following, None)
    return inside


def _line_end(text: str, position: int) -> int:
    while position < len(text) and text[position] not in _BREAKS:
        position += 1
    return position


def _comments(document: Document, found: list[re.Match[str]]) -> Iterator[Comment]:
    lines, starts = document.lines, line_starts(document.text)
    number = 0
    for match in found:
        while number + 1 < len(starts) and starts[number + 1] <= match.start():
            number += 1
        column = match.start() - starts[number]
        before = lines[number][:column]
        alone = not before.strip()
        parsed = _IGNORE.match(match["body"])
        applies: int | None = number + 1
        if parsed is not None and parsed["kind"] == "ignore-file":
            applies = None
        elif alone:
            applies = _next_content(lines, number + 1)
        offset = match.start("body") + (parsed.start("codes") if parsed else 0) - starts[number]
        codes = tuple(
            Listed(text=word.group(), column=offset + word.start() + 1)
            for word in _WORD.finditer(parsed["codes"] if parsed else "")
        )
        yield Comment(
            line=number + 1,
            column=column + 1,
            end_column=len(lines[number]) + 1,
            start=1 if alone else len(before.rstrip()) + 1,
            applies=applies,
            codes=codes,
            valid=bool(codes),
        )


def _next_content(lines: Any, index: int) -> int:
    """Return the number of the first line from ``index`` that is neither blank nor a comment."""
    while index < len(lines) and (not lines[index].strip() or lines[index].lstrip()[0] == "#"):
        index += 1
    return index + 1

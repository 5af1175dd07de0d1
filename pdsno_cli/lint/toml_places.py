"""Finds the line and column of a key in a TOML file, which tomllib does not keep."""

from __future__ import annotations

import re

_BARE = r"[A-Za-z0-9_-]+"
_KEY = rf"(?:{_BARE}|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNED = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def place(text: str, keys: tuple[str, ...], item: str | None = None) -> tuple[int, int]:
    """Return line and column, counted from 1, of a key, or of the text ``item`` in its value.

    If the key itself is not found, those of the nearest table above it; else of the file's start.
    """
    best, depth = (1, 1), 0
    table: tuple[str, ...] = ()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if header := _HEADER.match(line):
            table, start, end = _split(header[1]), header.start(1), header.end()
            full = table
        elif assigned := _ASSIGNED.match(line):
            full, start, end = table + _split(assigned[1]), assigned.start(1), assigned.end()
        else:
            continue
        shared = len(full) if full == keys[: len(full)] else 0
        if shared <= depth:
            continue
        best, depth = (number + 1, start + 1), shared
        column = end
        for key in keys[shared:]:  # inside an inline table
            found = re.compile(rf"[\"']?{re.escape(key)}[\"']?[ \t]*=").search(line, column)
            if found is None:
                break
            best, depth, column = (number + 1, found.start() + 1), depth + 1, found.end()
        if depth == len(keys) and item is not None:
            return _item(lines, number, column, item) or best
    return best


def error_place(message: str, text: str) -> tuple[int, int]:
    """Return the place that a message of tomllib names, else the end of the file."""
    if found := _PLACE.search(message):
        return int(found[1]), int(found[2])
    lines = text.splitlines() or [""]
    return len(lines), len(lines[-1]) + 1


def _item(lines: list[str], number: int, column: int, item: str) -> tuple[int, int] | None:
    for index in range(number, len(lines)):
        for quoted in (f'"{item}"', f"'{item}'", item):
            at = lines[index].find(quoted, column if index == number else 0)
            if at >= 0:
                return index + 1, at + 1
    return None


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))

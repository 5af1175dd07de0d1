"""Edits that mend a finding for certain: they write what the file means to say, and nothing else.

Each function returns no edit where two readings are possible, or where the source is not a scalar on one
line, such as an alias.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.diagnostics import Edit
from pdsno_cli.model.durations import PATTERN, closest_duration
from pdsno_cli.model.names import certain
from pdsno_cli.spec.document import split_lines
from pdsno_cli.spec.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.schema import Shape

Fix = tuple[Edit, ...]

_BOOLEANS = {"true": "true", "yes": "true", "on": "true"} | dict.fromkeys(
    ("false", "no", "off"), "false"
)
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # needs no quotes in any style
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_INDENT = re.compile(r"[ \t]*\t[ \t]*")


def misspelt_key(document: Document, where: Where, shape: Shape, hint: str) -> Fix:
    """Rename an unknown key to the one near name that ``hint`` suggests, too, if its value fits."""
    key, inside = str(where[-1]), where[:-1]
    properties = shape.fragment(inside).get("properties", {})
    name = certain(key, properties)
    if name is None or repr(name) not in hint or _is_there(document, (*inside, name)):
        return ()
    wanted = shape.resolve(properties[name]).get("type")
    if wanted is not None and _TYPES.get(type(_value(document, where))) not in (
        [wanted] if isinstance(wanted, str) else wanted
    ):
        return ()
    return _replaced(document, where, key, name, key_=True)


def misspelt_value(document: Document, where: Where, value: Any, allowed: Iterable[str]) -> Fix:
    """Replace a value that is not one of ``allowed`` by the one that is near."""
    name = certain(value, allowed) if isinstance(value, str) else None
    if name is None or _PLAIN.fullmatch(name) is None:
        return ()
    return _replaced(document, where, value, name)


def wrong_type(document: Document, where: Where, fragment: dict[str, Any], value: Any) -> Fix:
    """Take the quotes off a number or boolean, or put them around text that looks like one."""
    wanted = fragment["type"]
    if wanted == "boolean" and isinstance(value, str) and value.lower() in _BOOLEANS:
        return _replaced(document, where, value, _BOOLEANS[value.lower()])
    if wanted == "integer" and isinstance(value, str) and type(resolve(value or "x")) is int:
        return _replaced(document, where, value, value)
    if wanted == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        source = _source(document, where)
        if source is not None and resolve(source) == value:
            pattern = fragment.get("pattern")
            if pattern is None or re.search(pattern, source):
                return (document.replacement(where, f"'{source}'"),)
    return ()


def duration(document: Document, where: Where, fragment: dict[str, Any], value: Any) -> Fix:
    """Write a duration that is nearly right as it should be."""
    if fragment.get("pattern") != PATTERN or not isinstance(value, str):
        return ()
    found = closest_duration(value)
    return () if found is None else _replaced(document, where, value, found)


def tabs(text: str, line: int) -> Fix:
    """Replace every tab of an indentation, if ``line`` has one; not where tabs may be content."""
    lines = split_lines(text)
    if not 0 < line <= len(lines) or _INDENT.match(lines[line - 1]) is None:
        return ()
    if any(_BLOCK.search(source) for source in lines):
        return ()
    widths = [len(source) - len(source.lstrip(" ")) for source in lines if source.strip()]
    width = min((n for n in widths if n), default=2)
    edits = []
    for number, source in enumerate(lines, 1):
        if found := _INDENT.match(source):
            spaces = found.group().expandtabs(width)
            edits.append(
                Edit(
                    line=number,
                    column=1,
                    end_line=number,
                    end_column=found.end() + 1,
                    text=spaces if found.end() < len(source) else "",
                )
            )
    return tuple(edits)


def _replaced(
    document: Document, where: Where, value: str, text: str, *, key_: bool = False
) -> Fix:
    source = _source(document, where, key_=key_)
    if source is None or source.strip("\"'") != value or source == text:
        return ()
    return (document.replacement(where, text, key=key_),)


def _source(document: Document, where: Where, *, key_: bool = False) -> str | None:
    """Return the source of a scalar, with its quotes; None for a mapping or a list."""
    span = document.span(where, key=key_)
    if span == document.span(where, key=True) and not key_ and isinstance(where[-1], str):
        return None  # a container has the span of its key
    line = document.lines[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


def _is_there(document: Document, where: Where) -> bool:
    return _value(document, where, missing := object()) is not missing


def _value(document: Document, where: Where, otherwise: Any = None) -> Any:
    node: Any = document.data
    for step in where:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return otherwise
    return node

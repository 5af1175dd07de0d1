"""Finds the line whose indentation made libyaml stop, often not where it stopped."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pdsno_cli.spec.yaml_brackets import KEY, Slip, make_slip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FAR = 40  # lines
_NAME = rf"{KEY}(?:\[[^\]\s]*\][\w.-]*)*"  # also one with ranges
PAIR = re.compile(
    rf"^(?P<indent> *)(?P<dash>- +)?(?P<key>{_NAME}|\"[^\"]*\"|'[^']*')(?P<colon> *:)(?: +(?P<value>.*))?$"
)
_ENTRY = re.compile(rf"^(?P<indent> *)(?:- |(?P<key><<|{_NAME}|\"[^\"]*\"|'[^']*') *:(?: |$))")
_NODE_PROPERTIES = re.compile(r"(?:[&!]\S+ *)+")  # an anchor or a tag, with no value after it

Pair = tuple[int, int, str, bool]  # line, indentation, key, True if it has a value


def above(lines: Sequence[str], line: int) -> Iterator[int]:
    """Yield the two lines with text above a line."""
    found = 0
    for number in range(min(line, len(lines)) - 1, -1, -1):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            yield number
            found += 1
            if found == 2:
                return


def indentation(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the key that is indented like none of the keys it could belong to."""
    odd = _odd_line(lines, line) or _mixed(lines, line, problem)
    if odd is not None:
        return odd
    if line >= len(lines) or (pair := PAIR.match(lines[line])) is None:
        return None
    indent = len(pair["indent"])
    start = pair.start("key") if pair["dash"] is None else indent
    before = next(above(lines, line), None)
    upper = PAIR.match(lines[before]) if before is not None else None
    if "mapping values" in problem and column > pair.end("colon"):
        value = pair["value"]
        return make_slip(
            line,
            pair.start("value"),
            len(value),
            "text that contains ': ' needs quotes",
            f"write {pair['key']}: {value!r}",
        )
    if column > pair.end("colon"):
        return None
    misaligned = None if pair["dash"] else _misaligned(lines, line, indent)
    if misaligned is not None or upper is None:
        return misaligned
    level = upper.start("key")
    if "mapping values" in problem and upper["value"] and indent > level:
        return make_slip(
            line,
            start,
            len(pair["key"]),
            f"indented more than {upper['key']!r} before it, which has a value already",
            f"indent it by {_spaces(level)}",
        )
    levels = sorted({len(found["indent"]) for text in lines[:line] if (found := PAIR.match(text))})
    if indent not in levels and levels:
        best = min(levels, key=lambda known: abs(known - indent))
        return make_slip(
            line,
            start,
            len(pair["key"]),
            "indented like no key above it",
            f"indent it by {_spaces(best)}",
        )
    return None


def _misaligned(lines: Sequence[str], line: int, indent: int) -> Slip | None:
    """Return the key above that is indented unlike those around it, so that this line fits nowhere."""
    pairs = _pairs(lines, line)
    if not pairs:
        return None
    last = pairs[-1]
    if last[1] < indent:
        open_ = next((level for _, level, _, _ in reversed(pairs[:-1]) if level <= indent), None)
        alone = len(pairs) > 1 and pairs[-2][1] == last[1] and not pairs[-2][3]
        if last[3] and (open_ == indent or alone) and not (last[1] == 0 and _is_section(last[2])):
            return _slip(last, indent, "less")
        return None
    levels = [
        len(found["indent"])
        for n, text in enumerate(lines)
        if n != line and (found := PAIR.match(text))
    ]
    if indent % (math.gcd(*levels) or 1):
        return None  # it is this line that is indented unlike all others
    below = [index for index, pair in enumerate(pairs) if pair[1] < indent]
    start = below[-1] + 1 if below else 0
    deeper = pairs[start:]
    if not deeper or any(pair[1] <= indent for pair in deeper):
        return None
    children = [pair for pair in deeper if pair[1] == deeper[0][1]]
    parent = pairs[start - 1] if below else None
    if parent is not None and parent[3]:
        return None
    more = parent is None or len(children) == 1
    if parent is not None and parent[1] == 0:
        more = _is_section(parent[2])
    return _slip(children[0] if more else parent, indent, "more" if more else "less")  # type: ignore[arg-type]  # a parent


def _pairs(lines: Sequence[str], line: int) -> list[Pair]:
    found = []
    for number in range(line):
        pair = PAIR.match(lines[number])
        if pair is not None and pair["dash"] is None:
            value = (pair["value"] or "").split(" #")[0].strip()
            valued = bool(value) and not value.startswith("#")
            valued = valued and _NODE_PROPERTIES.fullmatch(value) is None
            found.append((number, len(pair["indent"]), pair["key"], valued))
    return found


def _slip(pair: Pair, indent: int, how: str) -> Slip:
    number, level, key, _ = pair
    message = f"indented {how} than the keys around it"
    return make_slip(number, level, len(key), message, f"indent it by {_spaces(indent)}")


def _is_section(key: str) -> bool:
    """Return True if a key belongs at the top level."""
    from pdsno_cli.spec.schema import schema

    return key in schema()["properties"] or key.startswith("x-")


def _odd_line(lines: Sequence[str], line: int) -> Slip | None:
    """Return the nearest key above with an odd indentation, in a file that indents by even ones."""
    pairs = [(n, found) for n, text in enumerate(lines) if (found := _ENTRY.match(text))]
    odd = [(n, found) for n, found in pairs if len(found["indent"]) % 2]
    near = [item for item in odd if line - _FAR <= item[0] <= line]
    if not near or len(odd) * 5 > len(pairs):
        return None
    number, found = near[-1]
    indent = len(found["indent"])
    around = [len(other["indent"]) for n, other in pairs if 0 < abs(n - number) <= _FAR]
    best = min((indent - 1, indent + 1), key=lambda even: -around.count(even))
    length = len(found["key"] or "-")
    hint = f"indent it by {_spaces(best)}"
    return make_slip(number, indent, length, "indented unlike the keys around it", hint)


def _mixed(lines: Sequence[str], line: int, problem: str) -> Slip | None:
    """Return the list item among keys, or the key among list items, whichever is rarer."""
    if line >= len(lines) or ("expected '-'" not in problem and "expected key" not in problem):
        return None
    indent = len(lines[line]) - len(lines[line].lstrip(" "))
    items: list[int] = []
    keys: list[int] = []
    first, last = line, line
    while first > 0 and _within(lines[first - 1], indent):
        first -= 1
    while last + 1 < len(lines) and _within(lines[last + 1], indent):
        last += 1
    for number in range(first, last + 1):
        text = lines[number][indent:]
        if text.startswith("- ") or text == "-":
            items.append(number)
        elif PAIR.match(text) and not text.startswith(" "):
            keys.append(number)
    if not items or not keys:
        return None
    before = next(above(lines, line), line)
    if (
        lines[before].lstrip().startswith("- ")
        and items == [line]
        and len(lines[before]) - len(lines[before].lstrip()) > indent
    ):
        hint = f"indent it by {_spaces(len(lines[before]) - len(lines[before].lstrip()))}"
        return make_slip(line, indent, 1, "a list item is indented unlike the one before it", hint)
    if len(items) < len(keys):
        return make_slip(
            items[0],
            indent,
            1,
            "a list item stands among keys",
            "remove '- ', or begin a list with its own key",
        )
    hint = "begin it with '- ', or indent it under the item before it"
    return make_slip(
        keys[0], indent, len(lines[keys[0]].strip()), "a key stands among list items", hint
    )


def _within(text: str, indent: int) -> bool:
    """Return True if a line is empty, a comment, or indented by ``indent`` at least."""
    stripped = text.lstrip(" ")
    return not stripped or stripped.startswith("#") or len(text) - len(stripped) >= indent


def _spaces(count: int) -> str:
    return "no spaces" if count == 0 else "one space" if count == 1 else f"{count} spaces"

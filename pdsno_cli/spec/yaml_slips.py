"""Names the slip behind a text that is not YAML, at its place: libyaml reports where it gave up.

``find`` looks at whole lines first (``_LINES``, the usual slips by pattern), then at quotes and
brackets in order, then at indentation. It runs only on a text that libyaml has refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pdsno_cli.spec.yaml_brackets import BLOCK, KEY, SPACES, Slip, make_slip, unclosed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_FAR = 40  # lines
# A pattern, whose group 1 is the place; the message; the hint. A hint may use the named groups.
_LINES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (r"^ *(\t+)", "a tab cannot indent YAML", "indent with spaces"),
        (
            rf"^[^#'\"]*?([{SPACES}]+)",
            "a no-break or other special space is not a space to YAML",
            "replace it by a plain space",
        ),
        (r"^(\$ |>>> |\.\.\. )", "a prompt was pasted with the text", "remove {0!r}"),
        (r"^\s*(//|/\*|\*/|<!--)", "comments begin with #", "write # instead of {0}"),
        (r"^[^#'\"]*?(\{\{.*\}\}|\{\{|\{%)", "a template was not rendered", "render it first, or write ${{NAME}}"),
        (
            r"^[^#'\"]*?[\[{,][^#'\"]*?(\$\{[^}]*\}?)",
            "a reference between braces or brackets needs quotes",
            'write "{0}"',
        ),
        (rf"^[^#'\"]*?(?<![\w$.-])({KEY}:)(?=[\[{{'\"])", "a space is missing after ':'", "write a space after {0}"),
        (rf"^\s*(?:- +)?({KEY}:=? *[^\s:=/].*)$", "", ""),  # judged by _key_value
        (rf"^\s*(?:- +)?{KEY} *(=>?) *\S", "a key and its value are separated by ':'", "write ':' and a space"),
        (rf"^\s*(?:- +)?{KEY}: +([@`%].*)$", "a value cannot begin with {0[0]!r}", "put it in quotes: '{0}'"),
        (rf"^\s*(?:- +)?{KEY}: +(\*[^\w].*)$", "a value that begins with '*' is an alias", "put it in quotes: '{0}'"),
        (rf"^\s*(?:- +)?{KEY}: +(?:\"[^\"]*\"|'[^']*') +([^\s#,\]}}\"'][^#]*?)\s*$", "text after a closing quote", "put the whole value in quotes"),
        (r"^ *(-[A-Za-z0-9][\w.]*)\s*$", "a space is missing after '-'", "write a space after it"),
        (r"^\s+(\*[\w.-]+)\s*$", "an alias stands where a key is expected", "write <<: {0}"),
        (rf"^\s*(?:- +)?{KEY}: +(\[[^\[\]#]*\]:\S*)", "text after the end of a list", "put it in quotes: '{0}'"),
    )
)  # fmt: skip
_CONFLICT = re.compile(r"^(<{7}|>{7}|={7}|\|{7})(?: |$)")
_PAIR = re.compile(
    rf"^(?P<indent> *)(?P<dash>- +)?(?P<key>{KEY}|\"[^\"]*\"|'[^']*')(?P<colon> *:)(?: +(?P<value>.*))?$"
)
_ENTRY = re.compile(rf"^(?P<indent> *)(?:- |(?P<key><<|{KEY}|\"[^\"]*\"|'[^']*') *:(?: |$))")


def find(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the slip that made libyaml stop at a line and column, None if it is not a usual one."""
    for number, text in enumerate(lines):
        if found := _CONFLICT.match(text):
            length = len(found[1])
            return make_slip(
                number,
                0,
                length,
                "a merge conflict was not resolved",
                "keep one side, and remove the lines of <<<<<<<, ======= and >>>>>>>",
            )
    near = [number for number in (line, *_above(lines, line)) if number < len(lines)]
    opened = unclosed(lines, line)
    for number in near:
        slip = _by_pattern(lines[number], number)
        if slip is not None and (opened is None or opened.line >= number):
            return slip
    return (
        opened
        or _separator(lines, line, column, problem)
        or _block_text(lines, near)
        or _indentation(lines, line, column, problem)
        or _no_colon(lines, near)
    )


def template(line: str, number: int) -> Slip | None:
    """Return the slip of a line whose braces are those of a template, or of a bare reference."""
    slip = _by_pattern(line, number)
    return (
        slip
        if slip is not None and ("template" in slip.message or "reference" in slip.message)
        else None
    )


def _above(lines: Sequence[str], line: int) -> Iterator[int]:
    """Yield the two lines with text above a line."""
    found = 0
    for number in range(min(line, len(lines)) - 1, -1, -1):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            yield number
            found += 1
            if found == 2:
                return


def _by_pattern(text: str, number: int) -> Slip | None:
    text = text[:1000]  # of a longer line, only what a person would read
    for pattern, message, hint in _LINES:
        found = pattern.match(text)
        if found is None:
            continue
        if not message:
            slip = _key_value(found, number)
            if slip is not None:
                return slip
            continue
        place = found[1]
        return make_slip(
            number, found.start(1), len(place), message.format(place), hint.format(place)
        )
    return None


def _key_value(found: re.Match[str], number: int) -> Slip | None:
    """Return the slip of ``key:value``, unless the text after the colon begins with a space."""
    text = found[1]
    key, _, value = text.partition(":")
    if value.startswith((" ", "\t")) or value.lstrip("=").startswith(" ") or "://" in text:
        return None
    value = value.lstrip("=").strip()
    return make_slip(
        number, found.start(1), len(text), "a space is missing after ':'", f"write {key}: {value}"
    )


def _block_text(lines: Sequence[str], near: list[int]) -> Slip | None:
    """Return the first line of a block's text that is not indented."""
    for number in near:
        text = lines[number]
        indent = len(text) - len(text.lstrip(" "))
        found = None
        for before in range(number - 1, -1, -1):  # over the lines of the text that are indented
            found = BLOCK.match(lines[before])
            blank = not lines[before].strip()
            if found is not None or not (
                blank or len(lines[before]) - len(lines[before].lstrip(" ")) > indent
            ):
                break
        if found is None:
            continue
        if text.strip() and indent <= len(found["indent"]) and not _PAIR.match(text):
            return make_slip(
                number,
                indent,
                len(text.strip()),
                "the text after | or > is not indented",
                "indent it by two spaces more than its key",
            )
    return None


def _indentation(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the key that is indented like none of the keys it could belong to."""
    odd = _odd_line(lines, line) or _mixed(lines, line, problem)
    if odd is not None:
        return odd
    if line >= len(lines) or (pair := _PAIR.match(lines[line])) is None:
        return None
    indent = len(pair["indent"])
    start = pair.start("key") if pair["dash"] is None else indent
    before = next(_above(lines, line), None)
    above = _PAIR.match(lines[before]) if before is not None else None
    if "mapping values" in problem and column > pair.end("colon"):
        value = pair["value"]
        return make_slip(
            line,
            pair.start("value"),
            len(value),
            "text that contains ': ' needs quotes",
            f"write {pair['key']}: {value!r}",
        )
    if above is None or column > pair.end("colon"):
        return None
    level = above.start("key")
    if "mapping values" in problem and above["value"] and indent > level:
        return make_slip(
            line,
            start,
            len(pair["key"]),
            f"indented more than {above['key']!r} before it, which has a value already",
            f"indent it by {_spaces(level)}",
        )
    levels = sorted({len(found["indent"]) for text in lines[:line] if (found := _PAIR.match(text))})
    if (
        indent in levels
        and "expected key" in problem
        and (key := _dedented(lines, line, indent)) is not None
    ):
        return key
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


def _dedented(lines: Sequence[str], line: int, indent: int) -> Slip | None:
    """Return the key above that is indented too little, so that its own keys follow two levels deeper."""
    above = [(n, pair) for n in range(line) if (pair := _PAIR.match(lines[n])) is not None]
    after: int | None = None  # the indentation of the key after it
    for number, pair in reversed(above):
        level = len(pair["indent"])
        if level < indent:
            if pair["value"] or after is None or after <= indent:
                return None
            length = len(pair["key"])
            hint = f"indent it by {_spaces(indent)}"
            return make_slip(number, level, length, "indented less than the keys around it", hint)
        after = level
    return None


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
        elif _PAIR.match(text) and not text.startswith(" "):
            keys.append(number)
    if not items or not keys:
        return None
    before = next(_above(lines, line), line)
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


def _no_colon(lines: Sequence[str], near: list[int]) -> Slip | None:
    """Return a line that is a name without a colon."""
    for number in near:
        text = lines[number]
        words = text.strip().split(" #")[0].rstrip()
        if re.fullmatch(rf"{KEY}(?: [^:#]*)?", words):
            key, _, value = words.partition(" ")
            hint = f"write {key}: {value.strip()}".rstrip()
            return make_slip(
                number,
                len(text) - len(text.lstrip()),
                len(words),
                "a key without ':' after it",
                hint,
            )
    return None


def _separator(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the entry before which a comma is missing, or the quote within a quoted text."""
    before = lines[line][:column] if line < len(lines) else ""
    word = re.search(r"[^\s,\[\]{}]+ *$", before)
    if "',' or" in problem and word is not None:
        place = word[0].rstrip()
        hint = f"write a comma before {place}"
        return make_slip(
            line, word.start(), len(place), "a comma is missing between two entries", hint
        )
    if "expected key" in problem and (quoted := re.search(r"(?:^|[:\-] +)(['\"]).*\1$", before)):
        hint = "write it twice: ''" if quoted[1] == "'" else 'write \\"'
        return make_slip(line, column - 1, 1, "a quote within a quoted text", hint)
    return None


def _spaces(count: int) -> str:
    return "no spaces" if count == 0 else "one space" if count == 1 else f"{count} spaces"

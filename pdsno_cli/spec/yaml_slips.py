"""Names the slip behind a text that is not YAML, at its place: libyaml reports where it gave up.

``find`` looks at whole lines first (``_LINES``, the usual slips by pattern), then at quotes and
brackets in order, then at indentation. It runs only on a text that libyaml has refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A slip at a line and column, counted from 0, with the hint that says what to type."""

    line: int
    column: int
    length: int
    message: str
    hint: str | None


_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
_KEY = r"[A-Za-z_][\w.-]*"
# A pattern, whose group 1 is the place; the message; the hint. A hint may use the named groups.
_LINES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (r"^ *(\t+)", "a tab cannot indent YAML", "indent with spaces"),
        (
            rf"^[^#'\"]*?([{_SPACES}]+)",
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
        (rf"^\s*(?:- +)?({_KEY}:=? *[^\s:=/].*)$", "", ""),  # judged by _key_value
        (rf"^\s*(?:- +)?{_KEY} *(=>?) *\S", "a key and its value are separated by ':'", "write ':' and a space"),
        (rf"^\s*(?:- +)?{_KEY}: +([@`%].*)$", "a value cannot begin with {0[0]!r}", "put it in quotes: '{0}'"),
        (rf"^\s*(?:- +)?{_KEY}: +(\*[^\w].*)$", "a value that begins with '*' is an alias", "put it in quotes: '{0}'"),
        (rf"^\s*(?:- +)?{_KEY}: +(\[[^\[\]#]*\]:\S*)", "text after the end of a list", "put it in quotes: '{0}'"),
    )
)  # fmt: skip
_CONFLICT = re.compile(r"^(<{7}|>{7}|={7}|\|{7})(?: |$)")
_BLOCK = re.compile(r"^(?P<indent> *)(?:- +)*(?:.*: +)?[|>][-+0-9]*(?: +#.*)?$")
_PAIR = re.compile(
    rf"^(?P<indent> *)(?P<dash>- +)?(?P<key>{_KEY}|\"[^\"]*\"|'[^']*')(?P<colon> *:)(?: +(?P<value>.*))?$"
)
_NEXT = re.compile(rf"^ *(?:- |(?:{_KEY}|\"[^\"]*\"|'[^']*') *:(?: |$)|#|$)")


def find(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the slip that made libyaml stop at a line and column, None if it is not a usual one."""
    for number, text in enumerate(lines):
        if found := _CONFLICT.match(text):
            length = len(found[1])
            return _slip(
                number,
                0,
                length,
                "a merge conflict was not resolved",
                "keep one side, and remove the lines of <<<<<<<, ======= and >>>>>>>",
            )
    near = [number for number in (line, *_above(lines, line)) if number < len(lines)]
    unclosed = _unclosed(lines, line)
    for number in near:
        slip = _by_pattern(lines[number], number)
        if slip is not None and (unclosed is None or unclosed.line >= number):
            return slip
    return (
        unclosed
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
        return _slip(number, found.start(1), len(place), message.format(place), hint.format(place))
    return None


def _key_value(found: re.Match[str], number: int) -> Slip | None:
    """Return the slip of ``key:value``, unless the text after the colon begins with a space."""
    text = found[1]
    key, _, value = text.partition(":")
    if value.startswith((" ", "\t")) or value.lstrip("=").startswith(" ") or "://" in text:
        return None
    value = value.lstrip("=").strip()
    return _slip(
        number, found.start(1), len(text), "a space is missing after ':'", f"write {key}: {value}"
    )


def _unclosed(lines: Sequence[str], line: int) -> Slip | None:
    """Return the quote or bracket that was opened and not closed, or closed and not opened."""
    scan = _Scan()
    block: int | None = None  # the indentation of a key whose text is a block
    for number, text in enumerate(lines):
        indent = len(text) - len(text.lstrip(" "))
        if block is not None and (not text.strip() or indent > block):
            continue
        block = None
        slip = scan.line(text, number, last=number == line)
        if slip is not None:
            return slip
        if scan.quote is not None:
            if number + 1 >= len(lines) or _NEXT.match(lines[number + 1]):
                quote, opened, at = scan.quote
                return _slip(
                    opened, at, 1, "a quote that is never closed", f"close it with {quote}"
                )
        elif not scan.stack:
            block = indent if _BLOCK.match(text) else None
            if number > line:
                return None
    return _open(*scan.stack[-1]) if scan.stack else None


class _Scan:
    """The quote and the brackets that are open, each with the line and column where it was opened."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, int, int]] = []
        self.quote: tuple[str, int, int] | None = None

    def line(self, text: str, number: int, *, last: bool) -> Slip | None:
        """Read one line; return a closing bracket without its opening one, or the other way round.

        Outside brackets a closing one is text, so only that of the ``last`` line is a slip.
        """
        at = 0
        while at < len(text):
            character = text[at]
            if self.quote is not None:
                at += self._quoted(text, at, self.quote[0])
            elif character == "#" and (at == 0 or text[at - 1] in " \t"):
                return None
            elif character in "\"'" and _starts(text, at, flow=bool(self.stack)):
                self.quote = (character, number, at)
            elif character in "[{" and (self.stack or _starts(text, at, flow=False)):
                self.stack.append((character, number, at))
            elif character in "]}" and (self.stack or last):
                slip = _closed(self.stack, character, number, at)
                if slip is not None:
                    return slip
            at += 1
        return None

    def _quoted(self, text: str, at: int, quote: str) -> int:
        """Read a character between quotes; return how many to skip after it."""
        if text[at] == "\\" and quote == '"':
            return 1
        if text[at] == quote:
            if quote == "'" and text[at + 1 : at + 2] == "'":
                return 1
            self.quote = None
        return 0


def _starts(text: str, at: int, *, flow: bool) -> bool:
    """Return True if a value, or a key, can begin at a place."""
    before = text[:at].rstrip()
    return (
        not before
        or (text[at - 1] == " " and before[-1] in ":-,[{")
        or (flow and before[-1] in ",[{:")
    )


def _closed(stack: list[tuple[str, int, int]], character: str, number: int, at: int) -> Slip | None:
    wanted = "[" if character == "]" else "{"
    if not stack:
        return _slip(number, at, 1, f"a {character} that closes nothing", "remove it")
    if stack[-1][0] != wanted:
        return _open(*stack[-1])
    stack.pop()
    return None


def _open(character: str, number: int, at: int) -> Slip:
    kind, end = ("a list", "]") if character == "[" else ("a mapping", "}")
    return _slip(number, at, 1, f"{kind} without its closing {end}", f"close it with {end}")


def _block_text(lines: Sequence[str], near: list[int]) -> Slip | None:
    """Return the first line of a block's text that is not indented."""
    for number in near:
        before = next(_above(lines, number), None)
        if before is None or not (found := _BLOCK.match(lines[before])):
            continue
        text = lines[number]
        indent = len(text) - len(text.lstrip(" "))
        if text.strip() and indent <= len(found["indent"]) and not _PAIR.match(text):
            return _slip(
                number,
                indent,
                len(text.strip()),
                "the text after | or > is not indented",
                "indent it by two spaces more than its key",
            )
    return None


def _indentation(lines: Sequence[str], line: int, column: int, problem: str) -> Slip | None:
    """Return the key that is indented like none of the keys it could belong to."""
    if line >= len(lines) or (pair := _PAIR.match(lines[line])) is None:
        return None
    indent = len(pair["indent"])
    start = pair.start("key") if pair["dash"] is None else indent
    before = next(_above(lines, line), None)
    above = _PAIR.match(lines[before]) if before is not None else None
    if "mapping values" in problem and column > pair.end("colon"):
        value = pair["value"]
        return _slip(
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
        return _slip(
            line,
            start,
            len(pair["key"]),
            f"indented more than {above['key']!r} before it, which has a value already",
            f"indent it by {_spaces(level)}",
        )
    levels = sorted({len(found["indent"]) for text in lines[:line] if (found := _PAIR.match(text))})
    if indent not in levels and levels:
        best = min(levels, key=lambda known: abs(known - indent))
        return _slip(
            line,
            start,
            len(pair["key"]),
            "indented like no key above it",
            f"indent it by {_spaces(best)}",
        )
    return None


def _no_colon(lines: Sequence[str], near: list[int]) -> Slip | None:
    """Return a line that is a name without a colon."""
    for number in near:
        text = lines[number]
        words = text.strip().split(" #")[0].rstrip()
        if re.fullmatch(rf"{_KEY}(?: [^:#]*)?", words):
            key, _, value = words.partition(" ")
            hint = f"write {key}: {value.strip()}".rstrip()
            return _slip(
                number,
                len(text) - len(text.lstrip()),
                len(words),
                "a key without ':' after it",
                hint,
            )
    return None


def _spaces(count: int) -> str:
    return "no spaces" if count == 0 else "one space" if count == 1 else f"{count} spaces"


def _slip(line: int, column: int, length: int, message: str, hint: str) -> Slip:
    return Slip(line=line, column=column, length=length, message=message, hint=hint)

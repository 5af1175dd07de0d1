"""Finds the quote or bracket of a YAML text that was opened and not closed, or the other way round."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A slip at a line and column, counted from 0, with the hint that says what to type."""

    line: int
    column: int
    length: int
    message: str
    hint: str | None


SPACES = (
    "\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u202f\u205f\u3000\ufeff"
)  # of a word processor
KEY = r"[A-Za-z_][\w.-]*"
BLOCK = re.compile(r"^(?P<indent> *)(?:- +)*(?:.*: +)?[|>][-+0-9]*(?: +#.*)?$")
# What stands before a value: an indicator, perhaps an anchor or a tag.
_START = re.compile(r"(?:^|[:?-])\s+(?:[&!]\S*\s+)*$|^\s*[&!]\S*\s+$")
_FLOW_START = re.compile(r"(?:[\[{,]|:\s)\s*(?:[&!]\S*\s+)*$")
_NEXT = re.compile(rf"^ *(?:- |(?:{KEY}|\"[^\"]*\"|'[^']*') *:(?: |$)|#|$)")


def make_slip(line: int, column: int, length: int, message: str, hint: str) -> Slip:
    """Return a slip."""
    return Slip(line=line, column=column, length=length, message=message, hint=hint)


def unclosed(lines: Sequence[str], line: int) -> Slip | None:
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
                return make_slip(
                    opened, at, 1, "a quote that is never closed", f"close it with {quote}"
                )
        elif not scan.stack:
            block = indent if BLOCK.match(text) else None
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
            elif character in "]}" and (
                self.stack or (last and not _in_text(text[:at], character))
            ):
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


def _in_text(before: str, character: str) -> bool:
    """Return True if a closing bracket ends what was opened in the same text: ``lc_[1:9]``, ``${NAME}``."""
    return before.count("[" if character == "]" else "{") > before.count(character)


def _starts(text: str, at: int, *, flow: bool) -> bool:
    """Return True if a value, or a key, can begin at a place."""
    return not text[:at].strip() or (_FLOW_START if flow else _START).search(text[:at]) is not None


def _closed(stack: list[tuple[str, int, int]], character: str, number: int, at: int) -> Slip | None:
    wanted = "[" if character == "]" else "{"
    if not stack:
        return make_slip(number, at, 1, f"a {character} that closes nothing", "remove it")
    if stack[-1][0] != wanted:
        if any(opened[0] == wanted for opened in stack):
            return _open(*stack[-1])
        end = "]" if character == "}" else "}"
        return make_slip(
            number, at, 1, f"a {character} closes what {stack[-1][0]} opened", f"write {end}"
        )
    stack.pop()
    return None


def _open(character: str, number: int, at: int) -> Slip:
    kind, end = ("a list", "]") if character == "[" else ("a mapping", "}")
    return make_slip(number, at, 1, f"{kind} without its closing {end}", f"close it with {end}")

"""Names the slip behind a text that is not YAML, at its place: libyaml reports where it gave up.

``find`` looks at whole lines first (``_LINES``, the usual slips by pattern), then at quotes and
brackets in order, then at indentation. It runs only on a text that libyaml has refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pdsno_cli.spec.yaml_brackets import BLOCK, KEY, SPACES, Slip, make_slip, unclosed
from pdsno_cli.spec.yaml_indentation import PAIR, above, indentation

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    near = [number for number in (line, *above(lines, line)) if number < len(lines)]
    opened = unclosed(lines, line)
    for number in near:
        slip = _by_pattern(lines[number], number)
        if slip is not None and (opened is None or opened.line >= number):
            return slip
    return (
        opened
        or _separator(lines, line, column, problem)
        or _block_text(lines, near)
        or indentation(lines, line, column, problem)
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
    if re.fullmatch(r"[0-9]+", value) and "." in key:
        return None  # a host and its port
    if value.startswith((" ", "\t", "//")) or value.lstrip("=").startswith(" "):
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
        if text.strip() and indent <= len(found["indent"]) and not PAIR.match(text):
            return make_slip(
                number,
                indent,
                len(text.strip()),
                "the text after | or > is not indented",
                "indent it by two spaces more than its key",
            )
    return None


def _no_colon(lines: Sequence[str], near: list[int]) -> Slip | None:
    """Return a line that is a name without a colon."""
    for number in near:
        text = lines[number]
        words = text.strip().split(" #")[0].rstrip()
        if re.fullmatch(rf"{KEY}(?: (?:[^:#]|:(?! |$))*)?", words):
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

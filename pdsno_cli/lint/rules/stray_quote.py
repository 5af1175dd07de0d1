"""PDS223: a quote at the end of a value or key that none begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.document import line_starts, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS223"

# Text of one line that begins with no sign of YAML, has no quote within, and ends with one.
_SUSPECT = re.compile(
    r"""(?:^\ *|[:,\[{?-]\ +|[\[{,])
        ((?:[^\s'"#&*!|>%@`\[\]{},$]|\$(?:\{[^}\n]*\})?)
         (?:\$\{[^}\n]*\}|(?!:\s|\ \#)[^'"\n\[\]{},]){0,200}['"])
        (?=[\ \t]*(?:$|[,\]}]|:\s|\ \#))""",
    re.MULTILINE | re.VERBOSE,
)
_BALANCED = re.compile(r""""[^"\n]*"|'[^'\n]*'""")
_QUOTED = re.compile(r"""^[^'"\n]*['"].*$""", re.MULTILINE)
_INCHES = re.compile(r"[0-9]['\"]$")


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:  # noqa: ARG001 - each rule takes both
    """Yield a warning for each unquoted text that ends with a quote, outside the user's own keys."""
    text = document.text
    rest = _BALANCED.sub("", text) if '"' in text or "'" in text else ""
    if '"' not in rest and "'" not in rest:
        return
    words = {
        match.start(1): match[1]
        for line in _QUOTED.finditer(text)
        if line[0].count('"') % 2 or line[0].count("'") % 2
        for match in _SUSPECT.finditer(text, line.start(), line.end())
    }
    if not words:
        return
    starts = line_starts(text)
    for position, where, key in _texts(document, document.data, ()):
        line, column, length = unpack(position)
        word = words.get(starts[line] + column)
        if (
            word is None
            or len(word) != length
            or (where == ("description",) and _INCHES.search(word))
        ):
            continue
        yield document.finding(
            CODE,
            f"{word} ends with a quote, and none begins it",
            where,
            key=key,
            severity=Severity.WARNING,
            hint=f"write {word[:-1]}, or {word[-1]}{word}",
        )


def _texts(document: Document, node: object, where: Where) -> Iterator[tuple[int, Where, bool]]:
    """Yield the position and path of every key (True) and value of a container."""
    steps: Iterator[str | int] = iter(node if isinstance(node, dict) else range(len(node)))  # type: ignore[arg-type]  # a list otherwise
    for step in steps:
        entry = document.entry(node, step)
        if entry is None or (isinstance(step, str) and step.startswith("x-")):
            continue
        value = node[step]  # type: ignore[index]  # a container
        if entry[0] is not None:
            yield entry[0], (*where, step), True
        if isinstance(value, dict | list):
            yield from _texts(document, value, (*where, step))
        elif isinstance(value, str):
            yield entry[1], (*where, step), False


RULE = Rule(code=CODE, name="stray-quote", check=check, advice=True)

"""Turns libyaml's syntax errors into findings in plain words."""

from __future__ import annotations

from typing import Any

from pdsno_cli.model.diagnostics import Diagnostic
from pdsno_cli.spec import codes
from pdsno_cli.spec.document import excerpt, split_lines
from pdsno_cli.spec.yaml_slips import find

# A part of libyaml's message, its usual meaning, and a hint.
_MEANINGS = (
    ("cannot start any token", "a tab or reserved character cannot stand here", None),
    ("found a tab character", "a tab cannot indent YAML", "indent with spaces"),
    ("mapping values are not allowed", "a second ': ' on one line, or a wrong indentation", None),
    ("could not find expected ':'", "a key without ':' after it", "write key: value"),
    ("did not find expected key", "a wrong indentation, or a quote too many", None),
    (
        "did not find expected '-' indicator",
        "an item of this list is not indented like the others",
        None,
    ),
    ("did not find expected ',' or ']'", "a list without its closing ]", None),
    ("did not find expected ',' or '}'", "a mapping without its closing }", None),
    ("did not find expected node content", "a value is missing here", None),
    (
        "did not find expected <document start>",
        "text after the end of the document",
        "remove the '...' before it",
    ),
    ("unexpected end of stream", "a quote that is never closed", None),
    ("unknown escape character", "unknown escape sequence in double quotes", "use single quotes"),
    ("undefined tag handle", "an undeclared tag", "leave it out"),
    ("invalid leading UTF-8 octet", "the file is not UTF-8", "save it as UTF-8"),
    ("control characters are not allowed", "a control character cannot stand here", None),
)
_QUOTE_REFERENCE = 'between braces quote a variable: {host: "${HOST}"}'


def explain(exc: Any, path: str, text: str) -> Diagnostic:
    """Return the finding for a ``yaml.YAMLError``."""
    lines = split_lines(text)
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    line, column = (mark.line, mark.column) if mark is not None else _reader_position(exc, text)
    problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or ""
    slip = find(lines, line, column, problem)
    if slip is not None:
        return Diagnostic(
            path=path,
            line=slip.line + 1,
            column=slip.column + 1,
            end_column=slip.column + 1 + max(slip.length, 1),
            code=codes.SYNTAX,
            message=f"not YAML: {slip.message}",
            hint=slip.hint,
            excerpt=excerpt(lines, slip.line + 1),
        )
    while line > 0 and (line >= len(lines) or not lines[line].strip()):
        line -= 1  # an error at the end of the file is shown where its text ends
        column = len(lines[line]) if line < len(lines) else 0
    source = lines[line] if line < len(lines) else ""
    message, hint = "it cannot be read from here on", None
    for words, meaning, advice in _MEANINGS:
        if words in problem:
            message, hint = meaning, advice
            break
    if column < len(source) and source[column] == "\t":
        message, hint = "a tab cannot indent YAML", "indent with spaces"
    elif "${" in source and "{" in source.replace("${", ""):
        hint = _QUOTE_REFERENCE
    return Diagnostic(
        path=path,
        line=line + 1,
        column=column + 1,
        end_column=column + 2,
        code=codes.SYNTAX,
        message=f"not YAML: {message}",
        hint=hint,
        excerpt=excerpt(lines, line + 1),
    )


def _reader_position(exc: Any, text: str) -> tuple[int, int]:
    position = getattr(exc, "position", 0)
    before = split_lines(text[: position if isinstance(position, int) else 0])
    return len(before) - 1, len(before[-1])

"""Syntax errors in plain words."""

from __future__ import annotations

import pytest

from pdsno_cli.spec.yaml_nodes import parse


@pytest.mark.parametrize(
    ("text", "line", "words", "hint"),
    [
        ("a: [1, 2", 1, "a list without its closing ]", None),
        ("a: {b: 1", 1, "a mapping without its closing }", None),
        ("a: 'open", 1, "a quote that is never closed", None),
        ('a: "\\q"', 1, "unknown escape sequence", "use single quotes"),
        ("a:\n\tb: 1", 2, "a tab cannot indent YAML", "indent with spaces"),
        ("a: b: c", 1, "text that contains ': ' needs quotes", None),
        ("a: !x!y z", 1, "an undeclared tag", "leave it out"),
        ("a: {b: ${HOST}}", 1, "", 'write "${HOST}"'),
        ("a: \x01", 1, "a control character", None),
    ],
)
def test_syntax_error_has_position_meaning_and_hint(text, line, words, hint):
    tree = parse(text, "t")
    assert tree.broken
    (found,) = tree.diagnostics
    assert (found.code, found.line) == ("PDS001", line)
    assert found.message.startswith("not YAML: ")
    assert words in found.message
    assert (hint or "") in (found.hint or "")

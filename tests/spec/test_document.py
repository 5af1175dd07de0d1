"""Spans of findings in a parsed file."""

from __future__ import annotations

import pytest

from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.spec.document import Document, excerpt, pack, split_lines, unpack
from pdsno_cli.spec.yaml_nodes import parse

TEXT = """\
name: one
controllers:
  gc: {role: global}
  lc:
    targets: [10.0.0.1, 10.0.0.2]
"""


@pytest.fixture
def document():
    tree = parse(TEXT, "t.yaml")
    return Document(
        path="t.yaml", text=TEXT, data=tree.root, positions=tree.positions, pinned=tree.pinned
    )


@pytest.mark.parametrize(
    ("where", "key", "expected"),
    [
        (("name",), False, (1, 7, 10)),
        (("name",), True, (1, 1, 5)),
        (("controllers", "gc", "role"), False, (3, 14, 20)),
        (("controllers", "gc"), False, (3, 3, 5)),  # a mapping: its key
        (("controllers", "lc", "targets", 1), False, (5, 25, 33)),
        (("controllers", "lc", "targets", 7), False, (5, 5, 12)),  # missing: the list's key
        (("controllers", "lc", "region"), False, (4, 3, 5)),
        (("broker",), False, (1, 1, 2)),
    ],
)
def test_span_is_that_of_the_entry_or_of_the_nearest_enclosing_one(document, where, key, expected):
    span = document.span(where, key=key)
    assert (span.line, span.column, span.end_column) == expected


def test_removed_entry_keeps_its_position(document):
    del document.data["controllers"]["gc"]["role"]
    assert document.has(("controllers", "gc", "role"))
    assert document.span(("controllers", "gc", "role")).column == 14
    assert not document.has(("controllers", "gc", "region"))


def test_finding_carries_the_line_and_its_severity(document):
    found = document.finding("PDS999", "wrong", ("name",), severity=Severity.WARNING, hint="fix it")
    assert (found.excerpt, found.severity, found.hint) == ("name: one", Severity.WARNING, "fix it")


def test_position_is_packed_without_loss():
    assert unpack(pack(2**24, 2**24, 7)) == (2**24, 2**24, 7)


def test_lines_break_as_in_libyaml():
    assert split_lines("a\r\nb\rc\x85d\u2028e\x0cf") == ["a", "b", "c", "d", "e\x0cf"]
    assert excerpt(["x" * 1_000], 1) == "x" * 400
    assert excerpt(["x"], 2) is None

"""Where comments for pdsno are found: not in quoted text, not in blocks of text."""

from __future__ import annotations

import pytest

from pdsno_cli.lint.comments import find
from pdsno_cli.spec.document import Document


def found(text):
    document = Document(path="t.yaml", text=text, data={}, positions={})
    return [(item.line, item.column, item.applies) for item in find(document)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: 1  # pdsno: ignore[PDS101]\n", [(1, 7, 1)]),
        ("a: 1\t#pdsno:ignore[PDS101]\n", [(1, 6, 1)]),
        ("# pdsno: ignore[PDS101]\na: 1\n", [(1, 1, 2)]),
        ("# pdsno: ignore[PDS101]\n\n# more\n  # again\n\na: 1\n", [(1, 1, 6)]),
        ("# pdsno: ignore-file[PDS101]\na: 1\n", [(1, 1, None)]),
        ("a: 1  # pdsno: ignore-file[PDS101] whole\n", [(1, 7, None)]),
        ("a: 1  # noqa  # pdsno: ignore[PDS101]\n", [(1, 15, 1)]),
        ("a: 1# pdsno: ignore[PDS101]\n", []),
        ("a: '# pdsno: ignore[PDS101]'\n", []),
        ("a: 'x\n  # pdsno: ignore[PDS101]\n  y'\n", []),
        ("a: |\n  # pdsno: ignore[PDS101]\n", []),
        ("a: >-\n  b\n\n  # pdsno: ignore[PDS101]\nb: 1\n", []),
        ("a: |\n  b\n# pdsno: ignore[PDS101]\nb: 1\n", [(3, 1, 4)]),
        ("a: |  # pdsno: ignore[PDS101]\n  b\n", [(1, 7, 1)]),
        ("a: {'#': 1, b: 2}  # pdsno: ignore[PDS101]\n", [(1, 20, 1)]),
        (
            "a: ü # pdsno: ignore[PDS101]\r\nb: 1 # pdsno: ignore[PDS101]\r\n",
            [(1, 6, 1), (2, 6, 2)],
        ),
        ("a: 1  # pdsno: this is prose\n", []),
    ],
)
def test_comment_is_found_with_the_line_that_it_is_about(text, places):
    assert found(text) == places


def test_codes_have_the_columns_at_which_they_stand():
    text = "a: 1\nb: 2 # pdsno: ignore[ PDS101,PDS203 ] why\n"
    (comment,) = find(Document(path="t.yaml", text=text, data={}, positions={}))
    assert [(code.text, code.column) for code in comment.codes] == [("PDS101", 23), ("PDS203", 30)]
    assert (comment.start, comment.end_column) == (5, 42)

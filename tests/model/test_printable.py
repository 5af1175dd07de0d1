"""External text is safe for terminals and logs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.printable import printable, printable_lines, shown


@given(st.text(max_size=300))
def test_printable_text_is_one_line_without_control_characters(text):
    assert printable(text).isprintable()
    assert shown(text, 20).isprintable()
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


def test_printable_escapes_as_in_a_string():
    assert printable("a\nb\x1b[0m\u202e") == r"a\nb\x1b[0m\u202e"
    assert printable("naïve ✓") == "naïve ✓"


def test_shown_cuts_long_text_with_an_ellipsis():
    assert shown("abcdef", 6) == "abcdef"
    assert shown("abcdefg", 6) == "abcde…"


def test_lines_are_kept():
    assert printable_lines("one\ntwo\x07") == "one\ntwo\\x07"

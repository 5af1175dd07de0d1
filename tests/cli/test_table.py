from __future__ import annotations

from pdsno_cli.cli.table import plural, table


def test_columns_are_aligned_without_trailing_blanks():
    assert table(("id", "state"), [("lc1", "ready"), ("regional", "")]) == (
        "ID        STATE\nlc1       ready\nregional\n"
    )


def test_a_table_without_rows_is_its_head():
    assert table(("id",), []) == "ID\n"


def test_plural_adds_an_s_to_all_but_one():
    assert [plural(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]

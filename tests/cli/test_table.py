from __future__ import annotations

from pdsno_cli.cli.table import fitted, plural, table


def test_columns_are_aligned_without_trailing_blanks():
    assert table(("id", "state"), [("lc1", "ready"), ("regional", "")]) == (
        "ID        STATE\nlc1       ready\nregional\n"
    )


def test_a_table_without_rows_is_its_head():
    assert table(("id",), []) == "ID\n"


def test_plural_adds_an_s_to_all_but_one():
    assert [plural(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


ROWS = [("local_cntl_1", "ready", "7"), ("local_cntl_2", "down", "")]
HEAD = ("id", "state", "pid")


def test_columns_that_do_not_fit_are_dropped_by_rank():
    assert fitted(HEAD, ROWS, width=80, drop=("pid", "state")) == table(HEAD, ROWS)
    narrow = fitted(HEAD, ROWS, width=20, drop=("pid", "state")).splitlines()
    assert narrow == ["ID            STATE", "local_cntl_1  ready", "local_cntl_2  down"]


def test_a_column_that_must_not_be_dropped_is_never_cut():
    assert fitted(HEAD, ROWS, width=5, drop=("pid", "state")).splitlines()[1] == "local_cntl_1"


def test_without_a_width_every_column_is_shown():
    assert fitted(HEAD, ROWS, width=None, drop=("pid",)) == table(HEAD, ROWS)

"""Rows of topics."""

from __future__ import annotations

from pdsno_cli.render.families import families
from pdsno_cli.render.table import HEADER, aligned, rows


def test_rows_have_a_cell_for_each_column():
    found = rows(families(None), everything=True)
    assert {len(row) for row in found} == {len(HEADER)}
    assert found[0][:4] == ("discovery", "pdsno/discovery/{region}/{lc_id}", "1", "no")


def test_columns_are_aligned_below_an_upper_case_header():
    lines = aligned([("a", "topic/long", "1", "no", "x", "y"), ("bb", "t", "0", "yes", "x", "y")])
    assert lines[0].split() == [name.upper() for name in HEADER]
    column = lines[0].index("QOS")
    assert [line[column] for line in lines[1:]] == ["1", "0"]
    assert all(line == line.rstrip() for line in lines)


def test_a_narrow_table_lacks_columns_and_cuts_no_topic():
    found = [("discovery", "pdsno/discovery/zone-A/local_1", "1", "no", "local", "regional")]
    assert aligned(found, 45) == [
        "TOPIC                           QOS  RETAIN",
        "pdsno/discovery/zone-A/local_1  1    no",
    ]

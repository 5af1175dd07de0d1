"""Rows written by the hundreds are those that were given, the last of each key."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from pdsno_cli.nib.bulk import Bulk
from pdsno_cli.nib.schema import EVENTS, META, SETTLED
from pdsno_cli.nib.statements import upsert

PUT = Bulk(SETTLED, upsert(SETTLED))


def written(store, bulk, rows, table=SETTLED):
    connection = store._connection
    with store._database.transaction(connection, write=True):
        bulk.write(connection, rows)
    with store._database.transaction(connection, write=False):
        columns = [column for column in table.columns if column.name != "id"]
        query = sa.select(*columns).order_by(*table.primary_key)
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize("count", [0, 1, 3, 1025, 2500])
def test_any_number_of_rows_is_written(store, count):
    rows = [(f"s{number:04}", number, 1) for number in range(count)]
    assert written(store, PUT, rows) == rows


def test_the_last_row_of_a_key_replaces_those_before_it(store):
    rows = [("a", 1, 1), ("b", 1, 1), ("a", 1, 2), ("a", 1, 3)]
    assert written(store, PUT, rows) == [("a", 1, 3), ("b", 1, 1)]
    assert written(store, PUT, [("b", 2, 0)]) == [("a", 1, 3), ("b", 2, 0)]


def test_a_column_that_the_database_numbers_is_left_out(store):
    rows = [(1.5, "gc", "e", "info", subject, None, "{}") for subject in ("x", "y")]
    bulk = Bulk(EVENTS, sa.insert(EVENTS))
    assert written(store, bulk, rows, EVENTS) == rows


def test_integers_have_64_bits(store):
    assert ("k", 2**62) in written(store, Bulk(META, upsert(META)), [("k", 2**62)], META)

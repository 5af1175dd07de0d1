"""Writes many rows with few statements.

Each step of a statement lets go of Python's lock and takes it again, for which a busy network
thread makes it wait. So rows go in by the hundreds: one step for all of them, half the time, and
the network thread works meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.dialects.sqlite import Insert

# Few sizes, so that few statements are compiled and kept. SQLite takes 32,766 values a statement.
_SIZES = (1024, 256, 64, 16, 4, 1)


class Bulk:
    """An upsert of rows of one table, given as tuples in the order of its columns."""

    def __init__(self, table: sa.Table, upsert: Insert) -> None:
        self._table = table
        self._upsert = upsert
        self._one = ""  # the statement for one row, once it is compiled
        self._statements: dict[int, str] = {}

    def write(self, connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert or update ``rows``, in order, within the transaction at hand."""
        begin = 0
        for size in _SIZES:
            while len(rows) - begin >= size:
                values = tuple(chain.from_iterable(rows[begin : begin + size]))
                if size not in self._statements:
                    self._statements[size] = self._statement(size)
                connection.exec_driver_sql(self._statements[size], values)
                begin += size

    def _statement(self, size: int) -> str:
        columns = [column.name for column in self._table.columns]
        if not self._one:
            # Once for all sizes: a fork server does it for its children.
            self._one = str(self._upsert.compile(dialect=sqlite.dialect(), column_keys=columns))
        row = f"({', '.join('?' * len(columns))})"
        rows = ", ".join([row] * size)
        return re.sub(r"VALUES \([^)]*\)", f"VALUES {rows}", self._one, count=1)

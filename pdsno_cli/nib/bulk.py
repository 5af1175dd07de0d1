"""Writes many rows with few statements.

Each step of SQLite releases Python's lock and takes it again, for which a busy network thread makes
it wait. So rows go in by the hundreds: one step for all of them, half the time, and the network
thread works meanwhile. Other databases get the rows one by one, with the statement sent once: they
refuse one that inserts a row and updates it, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.dialects.sqlite import Insert

# Few sizes, so that few statements are compiled and kept. SQLite takes 32,766 values a statement.
_SIZES = (1024, 256, 64, 16, 4, 1)


class Bulk:
    """An upsert of rows of one table, given as tuples in the order of its columns.

    A column that the database numbers by itself, ``id``, is left out.
    """

    def __init__(self, table: sa.Table, upsert: Insert) -> None:
        self._columns = [column.name for column in table.columns if column.name != "id"]
        self._upsert = upsert
        self._statements: dict[tuple[str, int], str] = {}  # by dialect and number of rows

    def write(self, connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert or update ``rows``, in order, within the transaction that has begun."""
        if connection.dialect.name != "sqlite":
            if rows:
                connection.exec_driver_sql(self._statement(connection.dialect, 1), list(rows))
            return
        begin = 0
        for size in _SIZES:
            while len(rows) - begin >= size:
                values = tuple(chain.from_iterable(rows[begin : begin + size]))
                connection.exec_driver_sql(self._statement(connection.dialect, size), values)
                begin += size

    def _statement(self, dialect: sa.Dialect, size: int) -> str:
        """Return the statement for ``size`` rows: a fork server compiles it for its children."""
        key = dialect.name, size
        if key not in self._statements:
            if size == 1:
                compiled = self._upsert.compile(dialect=dialect, column_keys=self._columns)
                self._statements[key] = str(compiled)
            else:
                row = f"({', '.join('?' * len(self._columns))})"
                rows = ", ".join([row] * size)
                one = self._statement(dialect, 1)
                self._statements[key] = re.sub(r"VALUES \([^)]*\)", f"VALUES {rows}", one, count=1)
        return self._statements[key]

"""SQLite: the store is a file, private to its user; one process writes it, others may read it.

One engine serves all stores of a process. It holds no pool and no path, so that a fork server can
make it, and all that SQLAlchemy compiles and caches, once for its children.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool

from pdsno_cli.model.errors import DiskError, PdsnoError, StateError
from pdsno_cli.nib.database import Database, MissingStoreError

_BUSY = 5.0  # seconds to wait for another process's lock
_ROOM = 65_536  # bytes; the index of the WAL grows by 32 KiB at a time
_BEGIN = "begin"  # key of Connection.info: how the next transaction begins
_APPEND_ONLY = """\
CREATE TRIGGER events_no_{lower} BEFORE {action} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"""
_opening = threading.local()


class Sqlite(Database):
    """The SQLite file ``path``, None for one in memory."""

    dialect = sqlite.dialect()
    journal = "WAL"  # https://sqlite.org/pragma.html#pragma_journal_mode

    def __init__(self, path: Path | None) -> None:
        super().__init__(":memory:" if path is None else str(path))
        self._path = path

    def connect(self, *, read_only: bool = False) -> sa.Connection:
        """Return a new connection; of the calling thread alone where it is ``read_only``."""
        if self._path is not None and not read_only:
            _create(self._path)
        _opening.database, _opening.read_only = self, read_only
        with self.explained():
            return _engine().connect()

    def begin(self, connection: sa.Connection, *, write: bool) -> None:
        """Begin a transaction, which locks out other writers at once where it is to ``write``."""
        connection.info[_BEGIN] = "BEGIN IMMEDIATE" if write else "BEGIN"
        connection.begin()

    def version(self, connection: sa.Connection) -> int:
        """Return the file's ``user_version``."""
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def set_version(self, version: int) -> str:
        """Return the statement that sets the file's ``user_version``."""
        return f"PRAGMA user_version = {version}"

    def make_append_only(self) -> Sequence[str]:
        """Return the triggers that refuse to change or delete events."""
        actions = ("UPDATE", "DELETE")
        return [_APPEND_ONLY.format(lower=action.lower(), action=action) for action in actions]

    def explain(self, error: BaseException | None) -> PdsnoError | None:
        """Return one line for an error about the file or its disk."""
        code = getattr(error, "sqlite_errorname", "")
        # The file of the WAL's index cannot grow on a full disk: for SQLite an error of input and output.
        if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and self._full()):
            return DiskError(f"the disk of {self.name} is full")
        if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            return StateError(
                f"{self.name} is damaged or not a store: move it away, and a new one is created"
            )
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return DiskError(f"{self.name} is in use by another process")
        if code.startswith("SQLITE_CANTOPEN") and self._full():
            return DiskError(f"the disk of {self.name} has no room for another file")
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            return StateError(f"{self.name} cannot be opened: {error}")
        if code.startswith("SQLITE_IOERR"):
            return DiskError(f"{self.name} cannot be read or written: {error}")
        return None

    def _full(self) -> bool:
        return self._path is not None and _no_room(self._path.parent)

    def open_raw(self, *, read_only: bool) -> sqlite3.Connection:
        """Open the file with Python's own driver."""
        path = self._path
        if path is None:
            return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if read_only:
            if not path.is_file():
                raise MissingStoreError(f"{path} does not exist")
            return _connect(f"file:{quote(str(path.absolute()))}?mode=ro", read_only=True)
        raw = _connect(str(path), read_only=False)
        try:
            raw.execute(f"PRAGMA journal_mode = {self.journal}")
            raw.execute("PRAGMA synchronous = FULL")
        except BaseException:
            raw.close()  # SQLAlchemy does not know of it
            raise
        return raw


def _no_room(folder: Path) -> bool:
    """Return True if the disk has no room for a new file, or to let one grow."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _ROOM or (disk.f_files > 0 and disk.f_favail == 0)


def _create(path: Path) -> None:
    """Create the file, private to its user, unless it exists."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskError(f"the disk of {path} has no room for another file") from exc
        raise StateError(f"{path} cannot be opened: {exc.strerror}") from exc


@lru_cache(maxsize=1)
def _engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://", creator=_open, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.info.get(_BEGIN, "BEGIN"))


def _open() -> sqlite3.Connection:
    """Open the file that is being connected to on this thread."""
    database: Sqlite = _opening.database
    return database.open_raw(read_only=_opening.read_only)


def _connect(name: str, *, read_only: bool) -> sqlite3.Connection:
    # isolation_level None: transactions begin where `begin` says, not where the driver guesses.
    # Two threads of a store write in turn.
    return sqlite3.connect(
        name, uri=read_only, timeout=_BUSY, isolation_level=None, check_same_thread=read_only
    )

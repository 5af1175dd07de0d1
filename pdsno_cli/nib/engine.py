"""Opens SQLite files for SQLAlchemy: one engine for all stores of a process, one connection each.

The engine holds no pool and no path, so that a fork server can make it, and all that SQLAlchemy
compiles and caches, once for its children.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import NullPool

from pdsno_cli.model.errors import DiskError, PdsnoError, StateError

_BUSY = 5.0  # seconds to wait for another process's lock
_BEGIN = "begin"  # key of Connection.info: how the next transaction begins
_opening = threading.local()


class MissingStoreError(StateError):
    """There is no store in that place yet."""


def connect(path: Path | None, *, read_only: bool = False) -> sa.Connection:
    """Return a new connection to the SQLite file ``path``, None for one in memory.

    One thread may use it at a time, and the calling one alone where it is ``read_only``. StateError
    in one line when the file cannot be used.
    """
    if path is not None and not read_only:
        _create(path)
    _opening.path, _opening.read_only = path, read_only
    with translated(path):
        return _engine().connect()


@contextmanager
def begun(connection: sa.Connection, path: Path | None, *, write: bool) -> Iterator[None]:
    """Run the block in a transaction, within the one at hand when there is one."""
    if connection.in_transaction():
        yield
        return
    with translated(path):
        begin(connection, write=write)
        try:
            yield
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def begin(connection: sa.Connection, *, write: bool) -> None:
    """Begin a transaction, unless one is at hand."""
    if not connection.in_transaction():
        connection.info[_BEGIN] = "BEGIN IMMEDIATE" if write else "BEGIN"
        connection.begin()


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Turn what SQLite says about the file or the disk into one line."""
    try:
        yield
    except sa.exc.DatabaseError as exc:
        error = _translate(path, exc.orig)
        if error is None:
            raise
        raise error from exc


def _translate(path: Path | None, error: BaseException | None) -> PdsnoError | None:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return DiskError(f"the disk of {path} is full")
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
        return StateError(f"{path} is no store or is damaged: move it away, a new one will be made")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DiskError(f"{path} is in use by another process")
    if name.startswith("SQLITE_CANTOPEN") and path is not None and _no_room(path.parent):
        return DiskError(f"the disk of {path} has no room for another file")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return StateError(f"{path} cannot be opened: {error}")
    if name.startswith("SQLITE_IOERR"):
        return DiskError(f"{path} cannot be read or written: {error}")
    return None


def _no_room(folder: Path) -> bool:
    """Return True if no file can be made there for want of blocks or inodes."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail == 0 or (disk.f_files > 0 and disk.f_favail == 0)


def _create(path: Path) -> None:
    """Make sure that the file is there and private before SQLite opens it."""
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
    """Open the file that ``connect`` names on this thread."""
    path: Path | None = getattr(_opening, "path", None)
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if _opening.read_only:
        if not path.is_file():
            raise MissingStoreError(f"{path} does not exist")
        return _connect(f"file:{quote(str(path.absolute()))}?mode=ro", read_only=True)
    raw = _connect(str(path), read_only=False)
    try:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
    except BaseException:
        raw.close()  # nobody else knows of it
        raise
    return raw


def _connect(name: str, *, read_only: bool) -> sqlite3.Connection:
    # isolation_level None: transactions begin where `begin` says, not where the driver guesses.
    # A store is written on two threads, in turn: it sees to that itself.
    return sqlite3.connect(
        name, uri=read_only, timeout=_BUSY, isolation_level=None, check_same_thread=read_only
    )

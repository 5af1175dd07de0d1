"""The seam between a store and its kind of database: what each kind does in its own way.

A kind is one module with a subclass of ``Database``, and one entry in ``model.stores.STORES``.
``docs/stores.md`` says how to add one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from pdsno_cli.model.errors import PdsnoError, StateError
from pdsno_cli.nib.schema import VERSION, create_tables


class MissingStoreError(StateError):
    """The store does not exist yet."""


class StoreInUseError(StateError):
    """Another process writes the store."""


class Database(ABC):
    """The place of one store. ``name`` stands for it in messages, without any password."""

    dialect: sa.Dialect

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def connect(self, *, read_only: bool = False) -> sa.Connection:
        """Return a new connection: one thread may use it at a time.

        Commits on it are durable when they return. The place is made where there is none, unless
        ``read_only``: MissingStoreError then. StoreInUseError where another process writes it,
        StateError where it cannot be used, DiskError or StoreUnavailableError where that may pass.
        """

    @abstractmethod
    def begin(self, connection: sa.Connection, *, write: bool) -> None:
        """Begin a transaction; what it reads is as of one moment."""

    @abstractmethod
    def version(self, connection: sa.Connection) -> int:
        """Return the version of the tables, 0 where there are none."""

    @abstractmethod
    def set_version(self, version: int) -> str:
        """Return the statement that records the version of the tables."""

    @abstractmethod
    def make_append_only(self) -> Sequence[str]:
        """Return the statements that make the database refuse to change or delete events."""

    @abstractmethod
    def explain(self, error: BaseException | None) -> PdsnoError | None:
        """Return one line for a driver's error about the place; None for a bug of ours."""

    def create(self) -> Sequence[str]:
        """Return the statements that make an empty place a store."""
        return (
            *create_tables(self.dialect),
            *self.make_append_only(),
            self.set_version(VERSION),
        )

    @contextmanager
    def transaction(self, connection: sa.Connection, *, write: bool) -> Iterator[None]:
        """Run the block in a transaction of its own, or as a part of the one that has begun."""
        if connection.in_transaction():
            yield
            return
        with self.explained():
            self.begin(connection, write=write)
            try:
                yield
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the driver's errors about the place into one line."""
        try:
            yield
        except sa.exc.DBAPIError as exc:
            error = self.explain(exc.orig)
            if error is None:
                raise
            raise error from exc


# Returns the database at a URL; the owner (topology and controller) distinguishes its store from
# others at the same URL. UsageError, without any password, for an invalid URL.
DatabaseFactory = Callable[[str, str], Database]

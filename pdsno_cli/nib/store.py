"""A controller's store: opens or makes it, gives out transactions and epochs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.errors import StateError
from pdsno_cli.nib import details_table, inbox_table, outbox_table
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.database import Database
from pdsno_cli.nib.inbox_table import InboxCounters
from pdsno_cli.nib.pipeline import CommitPipeline
from pdsno_cli.nib.places import find
from pdsno_cli.nib.queries import COUNT_ACTIVE, Queries
from pdsno_cli.nib.schema import UPGRADES, VERSION
from pdsno_cli.nib.transaction import Transaction

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Store", "Transaction"]

log = logging.getLogger(__name__)

_HISTORY = 7 * 86_400_000  # milliseconds for which counters of older epochs are kept for an audit


class Store(Queries):
    """The store of one controller. Only the thread that opens it may use it.

    A transaction is durable when its block ends; one that called ``commit_async``, when its
    ``on_commit`` callbacks run. A later transaction or query waits for it, except a ``pipelined``
    transaction.
    """

    def __init__(self, connection: sa.Connection, database: Database) -> None:
        super().__init__(connection, database)
        self._counters = InboxCounters(connection, self._begin)
        self._owner = threading.get_ident()
        self._current: Transaction | None = None
        # Its result is how many devices are present then.
        self._pipeline: CommitPipeline[int] = CommitPipeline()

    @classmethod
    def open(cls, place: Path | str | Database) -> Self:
        """Open the store at a place that ``nib.places.find`` knows; made where there is none.

        StateError when it cannot be used.
        """
        database = find(place)
        store = cls(database.connect(), database)
        try:
            store._ready()
        except BaseException:
            store.close()
            raise
        return store

    def transaction(self, *, pipelined: bool = False) -> AbstractContextManager[Transaction]:
        """Return a unit of work: committed when the block ends, rolled back when it raises.

        Within another transaction it is a part of that one. A ``pipelined`` one may begin while the
        one before is being committed: if that fails, this raises its exception and is rolled back.
        """
        # Most are parts, one for each message: a generator would cost as much as the work.
        return self._unit(pipelined=pipelined) if self._current is None else self._current

    def count_active(self) -> int:
        """Return how many devices are present, without those of a commit that is under way."""
        active = self._pipeline.result
        if self._pipeline.busy and self._current is None and active is not None:
            return active
        return super().count_active()

    def wait_committed(self) -> None:
        """Wait for the commit that is under way; raises the exception that made it fail."""
        if failure := self._wait():
            raise failure

    def close(self) -> None:
        """Wait for the commit that is under way, and close the connection."""
        try:
            self._await_unrelated()
        finally:
            super().close()

    def _await_unrelated(self) -> None:
        """Wait for the commit that is under way; its failure is reported by ``on_rollback`` alone.

        PdsnoError is raised, since nothing else would work either.
        """
        if failure := self._wait():
            log.debug("%s: a commit failed: %r", self._database.name, failure)

    def _wait(self) -> Exception | None:
        """Wait for the commit that is under way; return the exception that made it fail."""
        if threading.get_ident() != self._owner:
            raise RuntimeError("only the thread that opened a store may use it")
        return self._pipeline.wait()

    @contextmanager
    def _unit(self, *, pipelined: bool) -> Iterator[Transaction]:
        if not pipelined:
            self._await_unrelated()
        tx = self._current = Transaction(self._connection, self._counters, self._begin)
        try:
            with self._database.explained():
                yield tx
            self.wait_committed()
            tx.finish()
            if not tx.is_async:
                self._pipeline.result = None
                self._write(tx)
        except BaseException:
            self._current = None
            self._undo(tx)
            raise
        self._current = None
        if tx.is_async:
            self._pipeline.start(partial(self._write_and_count, tx), tx.finished)
        else:
            tx.finished(True)

    def _begin(self) -> None:
        """Begin in the database, after the commit that is under way."""
        self.wait_committed()
        self._begin_writing()

    def _begin_writing(self) -> None:
        if not self._connection.in_transaction():
            self._database.begin(self._connection, write=True)

    def _write(self, tx: Transaction) -> None:
        """Write and commit all of ``tx``."""
        with self._database.explained():
            try:
                self._begin_writing()
                tx.write()
                self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise

    def _write_and_count(self, tx: Transaction) -> int:
        """Write and commit all of ``tx``; return how many devices are present then.

        So that ``count_active`` does not wait for each commit of a flood.
        """
        self._write(tx)
        with self._database.transaction(self._connection, write=False):
            return int(self._connection.execute(COUNT_ACTIVE).scalar_one())

    def _undo(self, tx: Transaction) -> None:
        try:
            with self._database.explained():
                try:
                    self.wait_committed()
                finally:
                    self._connection.rollback()
        finally:
            tx.finished(False)

    def begin_epoch(self) -> int:
        """Return a new epoch, durably higher than all before it, even those of a lost store."""
        with self._database.transaction(self._connection, write=True):
            found = self._connection.execute(sql.META_VALUE, sql.EPOCH).first()
            epoch = max(epoch_at(time.time()), 1 if found is None else int(found.value) + 1)
            self._connection.execute(sql.PUT_META, {**sql.EPOCH, "value": epoch})
            for statement in (
                inbox_table.PRUNE,
                outbox_table.PRUNE_ISSUED,
                outbox_table.PRUNE_COALESCED,
            ):
                self._connection.execute(statement, {"history": _HISTORY})
            oldest = time.time() - details_table.HISTORY_SECONDS
            self._connection.execute(details_table.PRUNE, {"before": oldest})
        return epoch

    def _flush(self) -> None:
        if self._current is not None:
            self._current.flush()
        else:
            self._await_unrelated()

    def _ready(self) -> None:
        """Create the tables or upgrade those of an earlier version; StateError for a later one."""
        version = self.version()
        if version == 0:
            self._run(self._database.create())
        while version in UPGRADES:
            self._run((*UPGRADES[version], self._database.set_version(version + 1)))
            version += 1
        if version not in (0, VERSION):
            raise StateError(
                f"{self._database.name} is a store of version {version}, this pdsno reads {VERSION}: "
                "move it away, and a new one is created"
            )

    def _run(self, statements: Iterable[str]) -> None:
        with self._database.transaction(self._connection, write=True):
            for statement in statements:
                self._connection.exec_driver_sql(statement)

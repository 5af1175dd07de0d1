"""A controller's store: opens or makes the file, gives out transactions and epochs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pdsno_cli.model.errors import StateError, UsageError
from pdsno_cli.nib import outbox, received
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.engine import begin, begun, connect, translated
from pdsno_cli.nib.queries import Queries
from pdsno_cli.nib.received import Tallies
from pdsno_cli.nib.schema import VERSION, creation
from pdsno_cli.nib.transaction import Transaction

if TYPE_CHECKING:
    from concurrent.futures import Future

    import sqlalchemy as sa

__all__ = ["Store", "Transaction"]

_SQLITE = "sqlite:///"
_EPOCH = {"key": "epoch"}
_HISTORY = 7 * 86_400  # seconds for which numbers of epochs that are over are kept for an audit


class Store(Queries):
    """All that one controller knows. The thread that opens it owns it: no other may use it.

    What a transaction commits is on the disk when its block ends (WAL, ``synchronous=FULL``);
    that of one which goes behind, when it calls those who wait for that.
    """

    def __init__(self, connection: sa.Connection, path: Path | None) -> None:
        super().__init__(connection, path)
        self._tallies = Tallies(connection, self._begin)
        self._owner = threading.get_ident()
        self._at_hand: Transaction | None = None
        # What is committed on the one other thread, which has the connection until then.
        self._behind: tuple[Transaction, Future[None]] | None = None
        self._writer: ThreadPoolExecutor | None = None

    @classmethod
    def open(cls, place: Path | str) -> Self:
        """Open the store at a path or ``sqlite:///`` URL, ``:memory:`` for one that is not kept.

        It is made where there is none, readable by its owner alone. StateError when it cannot be
        used.
        """
        path = _path(place)
        store = cls(connect(path), path)
        try:
            store._ready()
        except BaseException:
            store.close()
            raise
        return store

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Give one unit of work: committed when the block ends, undone when it raises.

        Within another, it is a part of that one.
        """
        # Most are parts, one for each message: a generator would cost as much as what is in it.
        return self._unit() if self._at_hand is None else self._at_hand

    def settle(self) -> None:
        """Wait for the transaction that is still being committed; raises what made it fail."""
        if threading.get_ident() != self._owner:
            raise RuntimeError("only the thread that opened a store may use it")
        if self._behind is None:
            return
        (tx, committed), self._behind = self._behind, None
        try:
            committed.result()
        except BaseException:
            tx.ended(committed=False)
            raise
        tx.ended(committed=True)

    def close(self) -> None:
        """Let go of the file, once all is committed."""
        try:
            self.settle()
        finally:
            if self._writer is not None:
                self._writer.shutdown()
            super().close()

    @contextmanager
    def _unit(self) -> Iterator[Transaction]:
        tx = self._at_hand = Transaction(self._connection, self._tallies, self._begin)
        try:
            with translated(self._path):
                yield tx
            self.settle()
            tx.finish()
            if not tx.behind:
                self._write(tx)
        except BaseException:
            self._at_hand = None
            self._undo(tx)
            raise
        self._at_hand = None
        if tx.behind:
            if self._writer is None:
                self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
            self._behind = tx, self._writer.submit(self._write, tx)
        else:
            tx.ended(committed=True)

    def _begin(self) -> None:
        """Begin in the file, once what goes before is committed, what has begun in memory."""
        self.settle()
        begin(self._connection, write=True)

    def _write(self, tx: Transaction) -> None:
        """Write and commit all of ``tx``; on the writer's thread where that goes behind."""
        with translated(self._path):
            try:
                begin(self._connection, write=True)
                tx.write()
                self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise

    def _undo(self, tx: Transaction) -> None:
        try:
            self.settle()
        finally:
            self._connection.rollback()
            tx.ended(committed=False)

    def begin_epoch(self) -> int:
        """Return a new epoch, durably higher than any before it, even those of a lost store."""
        with begun(self._connection, self._path, write=True):
            found = self._connection.execute(sql.META_VALUE, _EPOCH).first()
            epoch = max(int(time.time()), 1 if found is None else int(found.value) + 1)
            self._connection.execute(sql.PUT_META, {**_EPOCH, "value": epoch})
            for statement in (received.PRUNE, outbox.PRUNE_ISSUED, outbox.PRUNE_COALESCED):
                self._connection.execute(statement, {"history": _HISTORY})
        return epoch

    def _flush(self) -> None:
        if self._at_hand is not None:
            self._at_hand.flush()
        else:
            self.settle()

    def _ready(self) -> None:
        """Make the tables of a new file; refuse a file that another version made."""
        version = self.version()
        if version == 0:
            with begun(self._connection, self._path, write=True):
                for statement in creation():
                    self._connection.exec_driver_sql(statement)
        elif version != VERSION:
            raise StateError(
                f"{self._path} is a store of version {version}, this pdsno reads {VERSION}: "
                "move it away, a new one will be made"
            )


def _path(place: Path | str) -> Path | None:
    if place == ":memory:":
        return None
    if isinstance(place, Path):
        return place
    if "://" not in place:
        return Path(place)
    if not place.startswith(_SQLITE):
        raise UsageError(f"nib {place!r}: only sqlite:/// URLs and paths are supported")
    return Path(place.removeprefix(_SQLITE))

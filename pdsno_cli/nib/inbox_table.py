"""The inbox of a store: the counters of received streams, fragments, quarantine.

The latest counters are cached in memory: only the thread that owns the store writes the table, and
it looks at them for every message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from pdsno_cli.nib.bulk import Bulk
from pdsno_cli.nib.offsets import Offset, StreamCounters, advance
from pdsno_cli.nib.schema import HELD, QUARANTINE, RECEIVED
from pdsno_cli.nib.statements import prune, upsert

_Key = tuple[str, str]  # sender and stream

_SENDER: sa.BindParameter[str] = sa.bindparam("of_sender")
_STREAM: sa.BindParameter[str] = sa.bindparam("of_stream")
ALL = sa.select(RECEIVED).order_by(RECEIVED.c.epoch)
LATEST = (
    sa.select(RECEIVED.c.epoch, RECEIVED.c.seq)
    .where(RECEIVED.c.sender == _SENDER, RECEIVED.c.stream == _STREAM)
    .order_by(RECEIVED.c.epoch.desc())
    .limit(1)
)
PRUNE = prune(RECEIVED, RECEIVED.c.sender, RECEIVED.c.stream)
FORGET = sa.delete(RECEIVED).where(RECEIVED.c.stream == _STREAM)
ADD_FRAGMENT = upsert(HELD)
FRAGMENTS = (
    sa.select(HELD.c.payload)
    .where(HELD.c.sender == _SENDER, HELD.c.stream == _STREAM)
    .order_by(HELD.c.epoch, HELD.c.seq)
)
INCOMPLETE = sa.select(HELD.c.sender, HELD.c.stream).distinct()
DROP_FRAGMENTS = sa.delete(HELD).where(HELD.c.sender == _SENDER, HELD.c.stream == _STREAM)
QUARANTINED = sa.select(QUARANTINE).order_by(QUARANTINE.c.id)
ONE_QUARANTINED = sa.select(QUARANTINE).where(QUARANTINE.c.id == sa.bindparam("of_id"))
COUNT_QUARANTINED = sa.select(sa.func.count()).select_from(QUARANTINE)
QUARANTINE_MESSAGE = sa.insert(QUARANTINE)
DISCARD_QUARANTINED = sa.delete(QUARANTINE).where(QUARANTINE.c.id == sa.bindparam("of_id"))

FORGET_SENDER = sa.delete(RECEIVED).where(RECEIVED.c.sender == _SENDER)
PUT = Bulk(RECEIVED, upsert(RECEIVED))


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A signed message that could not be applied: its exact bytes, and why; ``at`` is Unix time."""

    id: int
    at: float
    sender: str
    stream: str
    epoch: int
    seq: int
    topic: str
    reason: str
    data: bytes


class Advance(NamedTuple):
    """The offset that a transaction commits a stream up to, and how many messages it applied."""

    sender: str
    stream: str
    to: Offset
    messages: int


class InboxCounters:
    """The latest counters of each stream: read once, changed within a transaction.

    ``begin`` begins the transaction in the database.
    """

    def __init__(self, connection: sa.Connection, begin: Callable[[], None]) -> None:
        self._connection = connection
        self._begin = begin
        self._latest: dict[_Key, StreamCounters] | None = None
        self._changed: dict[_Key, StreamCounters] = {}  # by this transaction
        # Counters of epochs that ended within this transaction.
        self._ended: list[tuple[_Key, StreamCounters]] = []

    def get(self, key: _Key) -> StreamCounters | None:
        """Return the latest counters of a stream, None if nothing of it is committed."""
        changed = self._changed.get(key)
        return self._all().get(key) if changed is None else changed

    def accept_next(self, key: _Key, epoch: int, seq: int) -> bool:
        """Advance a stream by one message; return False, and do nothing, if it is not the next."""
        before = self.get(key)
        if before is None or before.epoch != epoch or before.seq + 1 != seq:
            return False
        self._changed[key] = advance(before, Offset(epoch, seq), applied=1)
        return True

    def put(self, key: _Key, counters: StreamCounters) -> None:
        """Change the counters of a stream with this transaction."""
        before = self._changed.get(key)
        if before is not None and before.epoch != counters.epoch:
            self._ended.append((key, before))
        self._changed[key] = counters

    def drop(self, stream: str) -> None:
        """Forget a stream."""
        PUT.write(self._connection, self.take()[0])
        self._connection.execute(FORGET, {"of_stream": stream})
        self._latest = None

    def drop_sender(self, sender: str) -> None:
        """Forget every stream of a sender."""
        PUT.write(self._connection, self.take()[0])
        self._connection.execute(FORGET_SENDER, {"of_sender": sender})
        self._latest = None

    def take(self) -> tuple[list[tuple[object, ...]], list[Advance]]:
        """Return the rows that this transaction has to write, and the streams that it advances."""
        if not self._changed:
            return [], []
        latest = self._all()
        changed = self._changed.items()
        rows = [_row(key, counters) for key, counters in (*self._ended, *changed)]
        advanced = [_advance(key, latest.get(key), counters) for key, counters in changed]
        latest.update(changed)
        self._changed.clear()
        self._ended.clear()
        return rows, advanced

    def clear(self) -> None:
        """Drop the cache: it may differ from the table."""
        self._changed.clear()
        self._ended.clear()
        self._latest = None

    def _all(self) -> dict[_Key, StreamCounters]:
        if self._latest is None:
            self._begin()
            rows = self._connection.execute(ALL).all()
            self._latest = {(row.sender, row.stream): read_counters(row) for row in rows}
        return self._latest


def _row(key: _Key, counters: StreamCounters) -> tuple[object, ...]:
    counts = counters.applied, counters.quarantined, counters.skipped
    return *key, counters.epoch, counters.seq, *counts


def _advance(key: _Key, before: StreamCounters | None, counters: StreamCounters) -> Advance:
    messages = counters.applied
    if before is not None and before.epoch == counters.epoch:
        messages -= before.applied
    return Advance(*key, counters.offset, messages)


def read_counters(row: sa.Row[tuple[object, ...]]) -> StreamCounters:
    """Return the counters of a row."""
    return StreamCounters(
        epoch=row.epoch,
        seq=row.seq,
        applied=row.applied,
        quarantined=row.quarantined,
        skipped=row.skipped,
    )

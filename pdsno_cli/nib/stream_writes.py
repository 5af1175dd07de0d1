"""The changes of a transaction to streams: what is committed of others', what is queued of our own."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.nib import inbox_table, offsets, outbox_table
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.offsets import Offset, Verdict
from pdsno_cli.nib.outbox_table import OutboxRecord

if TYPE_CHECKING:
    import sqlalchemy as sa

    from pdsno_cli.nib.inbox_table import InboxCounters

_DAY = 86_400.0  # seconds
_NUMBER = ("stream", "epoch", "seq")


class StreamWrites(ABC):
    """A part of ``Transaction``; owner's thread."""

    _counters: InboxCounters

    def accept_next(self, sender: str, stream: str, epoch: int, seq: int) -> bool:
        """Advance a stream by one applied message; return False if it is not the next one.

        The common case in one lookup; ``judge`` and ``advance`` serve the others.
        """
        return self._counters.accept_next((sender, stream), epoch, seq)

    def judge(self, *, sender: str, stream: str, epoch: int, seq: int) -> Verdict:
        """Return the verdict on a message's number."""
        return offsets.judge(self._counters.get((sender, stream)), epoch, seq)

    def committed(self, sender: str, stream: str) -> Offset | None:
        """Return the offset up to which a stream is committed, None if nothing of it is."""
        counters = self._counters.get((sender, stream))
        return None if counters is None else counters.offset

    def advance(
        self, *, sender: str, stream: str, to: Offset, applied: int = 1, quarantined: int = 0
    ) -> None:
        """Record that this transaction commits a stream up to ``to``.

        Numbers between the last offset and this one count as skipped.
        """
        key = sender, stream
        counters = offsets.advance(
            self._counters.get(key), to, applied=applied, quarantined=quarantined
        )
        self._counters.put(key, counters)

    def add_fragment(self, sender: str, stream: str, at: Offset, fragment: bytes) -> None:
        """Keep a fragment of a large message until its last one arrives."""
        self._execute(
            inbox_table.ADD_FRAGMENT,
            {
                "sender": sender,
                "stream": stream,
                "epoch": at.epoch,
                "seq": at.seq,
                "payload": fragment,
            },
        )

    def take_fragments(self, sender: str, stream: str) -> list[bytes]:
        """Return the fragments kept of a stream, in order, and delete them."""
        of = {"of_sender": sender, "of_stream": stream}
        fragments = list(self._execute(inbox_table.FRAGMENTS, of).scalars())
        if fragments:
            self._execute(inbox_table.DROP_FRAGMENTS, of)
        return fragments

    def quarantine(
        self, *, sender: str, stream: str, at: Offset, topic: str, reason: str, data: bytes
    ) -> None:
        """Quarantine a message that cannot be applied."""
        self._execute(
            inbox_table.QUARANTINE_MESSAGE,
            {
                "at": time.time(),
                "sender": sender,
                "stream": stream,
                "epoch": at.epoch,
                "seq": at.seq,
                "topic": topic,
                "reason": reason,
                "data": data,
            },
        )

    def discard_quarantined(self, quarantine_id: int) -> bool:
        """Delete a message from quarantine; return True if there was one."""
        return bool(
            self._execute(inbox_table.DISCARD_QUARANTINED, {"of_id": quarantine_id}).rowcount
        )

    def enqueue(self, message: OutboxRecord) -> None:
        """Add a message to the outbox, and record its number as assigned."""
        values = msgspec.structs.asdict(message)
        self._execute(outbox_table.ENQUEUE, values)
        self._execute(outbox_table.PUT_ISSUED, {name: values[name] for name in _NUMBER})

    def readdress(self, message: OutboxRecord, topic: str, data: bytes) -> None:
        """Give a queued message another topic and other bytes; its number stays."""
        self._execute(
            outbox_table.READDRESS,
            {
                "of_stream": message.stream,
                "of_epoch": message.epoch,
                "of_seq": message.seq,
                "to_topic": topic,
                "to_data": data,
            },
        )

    def answer(self, message_id: str, *, at: float) -> None:
        """Record for a day that a command is answered: it expires long before."""
        self._execute(sql.PUT_ANSWERED, {"message_id": message_id, "at": at})
        self._execute(sql.PRUNE_ANSWERED, {"before": at - _DAY})

    def acknowledge(self, stream: str, position: Offset) -> int:
        """Delete the messages of a stream up to ``position``; return how many."""
        values = {"epoch": position.epoch, "seq": position.seq}
        dropped = self._execute(outbox_table.DROP, {"of_stream": stream, **values}).rowcount
        if dropped:
            self._execute(sql.PUT_SETTLED, {"stream": stream, **values})
        return dropped

    def coalesce(self, stream: str) -> int:
        """Delete the queued messages of a stream, which a newer one replaces; return how many.

        Their numbers are recorded as coalesced.
        """
        values = {"of_stream": stream}
        ranges = self._execute(outbox_table.RANGES, values).all()
        if not ranges:
            return 0
        self._execute(
            outbox_table.PUT_COALESCED,
            [{"stream": stream, **row._mapping} for row in ranges],  # noqa: SLF001 - SQLAlchemy's public name
        )
        return self._execute(outbox_table.DROP_ALL, values).rowcount

    def forget_numbers(self, *, beyond: int) -> None:
        """Delete the records of our own numbers in epochs after ``beyond``."""
        for statement in outbox_table.DROP_BEYOND:
            self._execute(statement, {"beyond": beyond})

    def set_epoch(self, epoch: int) -> None:
        """Have the next epoch be the clock's, or ``epoch`` + 1 if that is higher."""
        self._execute(sql.PUT_META, {**sql.EPOCH, "value": epoch})

    @abstractmethod
    def _execute(
        self, statement: sa.Executable, values: Mapping[str, Any] | list[dict[str, Any]]
    ) -> sa.CursorResult[Any]:
        """Run a statement after writing the buffered rows."""

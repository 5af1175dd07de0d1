"""The changes of a transaction to the sending side of a store: the outbox, its numbers, answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.nib import outbox_table
from pdsno_cli.nib import statements as sql
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.outbox_table import OutboxRecord

if TYPE_CHECKING:
    import sqlalchemy as sa

_DAY = 86_400.0  # seconds
_NUMBER = ("stream", "epoch", "seq")


class OutboxWrites(ABC):
    """A part of ``Transaction``; owner's thread."""

    def enqueue(self, message: OutboxRecord) -> None:
        """Put a message into the outbox, and its number into the record of those given out."""
        values = msgspec.structs.asdict(message)
        self._execute(outbox_table.ENQUEUE, values)
        self._execute(outbox_table.PUT_ISSUED, {name: values[name] for name in _NUMBER})

    def answer(self, message_id: str, *, at: float) -> None:
        """Keep that an order is answered; for a day, since it is void long before that."""
        self._execute(sql.PUT_ANSWERED, {"message_id": message_id, "at": at})
        self._execute(sql.PRUNE_ANSWERED, {"before": at - _DAY})

    def acknowledge(self, stream: str, position: Offset) -> int:
        """Drop what is acknowledged of a stream; return how many messages that was."""
        values = {"epoch": position.epoch, "seq": position.seq}
        dropped = self._execute(outbox_table.DROP, {"of_stream": stream, **values}).rowcount
        if dropped:
            self._execute(sql.PUT_SETTLED, {"stream": stream, **values})
        return dropped

    def coalesce(self, stream: str) -> int:
        """Drop what waits of a stream, because something newer tells it all.

        Return how many messages that was; their numbers stay on record.
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
        """Forget all numbers of our own that are of an epoch ``beyond`` that one."""
        for statement in outbox_table.DROP_BEYOND:
            self._execute(statement, {"beyond": beyond})

    def set_epoch(self, epoch: int) -> None:
        """Have the next epoch be one beyond ``epoch``, and no later than that needs."""
        self._execute(sql.PUT_META, {**sql.EPOCH, "value": epoch})

    @abstractmethod
    def _execute(
        self, statement: sa.Executable, values: Mapping[str, Any] | list[dict[str, Any]]
    ) -> sa.CursorResult[Any]:
        """Run one statement, after what was gathered before it."""

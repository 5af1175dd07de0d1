"""The outbox of a store: messages that are kept until their receiver has committed them."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from pdsno_cli.nib.marks import Position
from pdsno_cli.nib.schema import OUTBOX, SETTLED


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the outbox, byte for byte as it is sent."""

    stream: str
    epoch: int
    seq: int
    topic: str
    data: bytes
    qos: int
    retain: bool

    @property
    def position(self) -> Position:
        """Where in its stream the message stands."""
        return Position(self.epoch, self.seq)


_AFTER = sa.tuple_(OUTBOX.c.epoch, OUTBOX.c.seq) > sa.tuple_(
    sa.bindparam("epoch", type_=sa.Integer), sa.bindparam("seq", type_=sa.Integer)
)
KEEP = sa.insert(OUTBOX)
NEXT = (
    sa.select(OUTBOX)
    .where(OUTBOX.c.stream == sa.bindparam("stream"), _AFTER)
    .order_by(OUTBOX.c.epoch, OUTBOX.c.seq)
    .limit(sa.bindparam("most"))
)
STREAMS = sa.select(OUTBOX.c.stream).distinct()
COUNT = sa.select(sa.func.count()).select_from(OUTBOX)
DROP = sa.delete(OUTBOX).where(OUTBOX.c.stream == sa.bindparam("of_stream"), sa.not_(_AFTER))
SETTLED_UP_TO = sa.select(SETTLED.c.epoch, SETTLED.c.seq).where(
    SETTLED.c.stream == sa.bindparam("stream")
)

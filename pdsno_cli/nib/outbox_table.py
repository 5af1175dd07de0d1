"""The outbox of a store: its records, and the statements on them and on our own numbers."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.schema import COALESCED, ISSUED, OUTBOX, SETTLED
from pdsno_cli.nib.statements import prune, upsert


class OutboxRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One queued message, byte for byte as it is sent; ``kept_at`` is the Unix time of its enqueuing."""

    stream: str
    epoch: int
    seq: int
    topic: str
    data: bytes
    qos: int
    retain: bool
    kept_at: float = 0.0

    @property
    def offset(self) -> Offset:
        """The message's offset in its stream."""
        return Offset(self.epoch, self.seq)


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """The queued messages of one stream: number, bytes, Unix time at which the oldest was enqueued."""

    messages: int
    size: int
    oldest: float


_AFTER = sa.tuple_(OUTBOX.c.epoch, OUTBOX.c.seq) > sa.tuple_(
    sa.bindparam("epoch", type_=OUTBOX.c.epoch.type), sa.bindparam("seq", type_=OUTBOX.c.seq.type)
)
_OF_STREAM = OUTBOX.c.stream == sa.bindparam("of_stream")
ENQUEUE = sa.insert(OUTBOX)
READDRESS = (
    sa.update(OUTBOX)
    .where(
        _OF_STREAM,
        OUTBOX.c.epoch == sa.bindparam("of_epoch"),
        OUTBOX.c.seq == sa.bindparam("of_seq"),
    )
    .values(topic=sa.bindparam("to_topic"), data=sa.bindparam("to_data"))
)
NEXT = (
    sa.select(OUTBOX)
    .where(OUTBOX.c.stream == sa.bindparam("stream"), _AFTER)
    .order_by(OUTBOX.c.epoch, OUTBOX.c.seq)
    .limit(sa.bindparam("most"))
)
STREAMS = sa.select(OUTBOX.c.stream).distinct()
COUNT = sa.select(sa.func.count()).select_from(OUTBOX)
BACKLOG = sa.select(
    sa.func.count().label("messages"),
    sa.func.coalesce(sa.func.sum(sa.func.length(OUTBOX.c.data)), 0).label("size"),
    sa.func.coalesce(sa.func.min(OUTBOX.c.kept_at), 0.0).label("oldest"),
).where(OUTBOX.c.stream == sa.bindparam("stream"))
DROP = sa.delete(OUTBOX).where(_OF_STREAM, sa.not_(_AFTER))
DROP_ALL = sa.delete(OUTBOX).where(_OF_STREAM)
# Within an epoch the outbox has no gaps except those in COALESCED.
RANGES = (
    sa.select(
        OUTBOX.c.epoch,
        sa.func.min(OUTBOX.c.seq).label("first"),
        sa.func.max(OUTBOX.c.seq).label("last"),
    )
    .where(_OF_STREAM)
    .group_by(OUTBOX.c.epoch)
)
PUT_COALESCED = upsert(COALESCED)
PUT_ISSUED = upsert(ISSUED)
ALL_ISSUED = sa.select(ISSUED)
ISSUED_IN = sa.select(ISSUED.c.seq).where(
    ISSUED.c.stream == sa.bindparam("stream"), ISSUED.c.epoch == sa.bindparam("epoch")
)
LAST_COALESCED = (
    sa.select(COALESCED.c.epoch, COALESCED.c.last)
    .where(COALESCED.c.stream == sa.bindparam("stream"))
    .order_by(COALESCED.c.epoch.desc(), COALESCED.c.first.desc())
    .limit(1)
)
ALL_COALESCED = sa.select(COALESCED).order_by(COALESCED.c.first)
NUMBERS = sa.select(OUTBOX.c.stream, OUTBOX.c.epoch, OUTBOX.c.seq, OUTBOX.c.kept_at).order_by(
    OUTBOX.c.seq
)
PRUNE_ISSUED = prune(ISSUED, ISSUED.c.stream)
PRUNE_COALESCED = prune(COALESCED, COALESCED.c.stream)
DROP_BEYOND = tuple(
    sa.delete(table).where(table.c.epoch > sa.bindparam("beyond"))
    for table in (ISSUED, COALESCED, SETTLED)
)
ACKNOWLEDGED = sa.select(SETTLED.c.epoch, SETTLED.c.seq).where(
    SETTLED.c.stream == sa.bindparam("stream")
)

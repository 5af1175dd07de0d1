"""Numbers the outbox again where a receiver cannot accept the numbers that it has.

That is so when a sender lost its store and its clock is behind what the receiver committed before,
or when its clock was in the future. Its messages are then sealed again under an epoch beyond the
receiver's, and the sender begins the one after it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.epochs import epoch_at, is_ahead
from pdsno_cli.model.numbers import MAX_INTEGER
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.nib.offsets import START, Offset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.nib.outbox_table import OutboxRecord
    from pdsno_cli.nib.store import Store, Transaction

log = logging.getLogger(__name__)

_ROOM = 1_000_000  # epochs that must remain beyond the one asked for
_ALL = 2**31  # messages, more than an outbox holds


def epoch_beyond(asked: Offset, own: int, now: float) -> int | None:
    """Return the epoch for the outbox when a receiver requests one beyond ``asked``; pure.

    None where ``own`` is as good as what was requested, and is kept: the receiver's clock may be the
    one that is wrong. ``now`` is in Unix seconds.
    """
    if asked.epoch > MAX_INTEGER - _ROOM:
        return None
    if asked.epoch > own:
        return asked.epoch + 1
    return max(epoch_at(now), asked.epoch + 1) if is_ahead(own, now) else None


def renumber(store: Store, codec: Codec, committed: Mapping[str, Offset], epoch: int) -> None:
    """Seal again, under ``epoch``, the messages of the streams in ``committed`` beyond its numbers.

    ``committed`` has the last number that each stream's receiver committed. Messages of other
    streams with a later epoch than ``epoch`` are sealed again as well, and later numbers are
    forgotten. The store's next epoch is a later one; nothing may be staged before it begins.
    """
    with store.transaction() as tx:
        for stream, after in committed.items():
            if 0 < after.seq <= store.issued(stream, after.epoch):
                tx.acknowledge(stream, after)
        for name in store.outbox_streams():
            queued = store.outbox(name, START, _ALL)
            if name in committed or queued[-1].epoch > epoch:
                tx.coalesce(name)
                _seal_again(tx, codec, queued, epoch)
        tx.forget_numbers(beyond=epoch)
        tx.set_epoch(epoch)


def _seal_again(tx: Transaction, codec: Codec, queued: list[OutboxRecord], epoch: int) -> None:
    seq = 0
    for kept in queued:
        try:
            message = codec.open(kept.topic, kept.data)
        except RefusedError as exc:  # signed with a former key
            log.error("%s %d/%d cannot be sent again: %s", kept.stream, *kept.offset, exc)  # noqa: TRY400 - what was refused, not a fault
            continue
        seq += 1
        data = codec.seal(
            topic=kept.topic,
            sender_id=message.sender_id,
            message_type=message.message_type,
            payload=message.payload,
            epoch=epoch,
            seq=seq,
            recipient_id=message.recipient_id,
            correlation_id=message.correlation_id,
        )
        tx.enqueue(msgspec.structs.replace(kept, epoch=epoch, seq=seq, data=data))
    log.warning("%s: %d messages have new numbers, in epoch %d", queued[0].stream, seq, epoch)

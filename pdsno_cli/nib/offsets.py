"""Offsets in a stream, the counters of its receiver, and the verdict on a message's number; pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec


class Offset(NamedTuple):
    """The place of a message in its stream; offsets order as the messages were numbered."""

    epoch: int
    seq: int


START = Offset(0, 0)  # before the first message of any stream


class Verdict(Enum):
    """The verdict of a receiver on a message's epoch and seq."""

    NEXT = "next"  # the next one: apply it
    DUPLICATE = "duplicate"  # committed already
    STALE = "stale"  # of an older epoch
    GAP = "gap"  # messages before it are missing: request them, do not apply it
    UNKNOWN = "unknown"  # nothing of the stream is committed yet


def judge(committed: Offset | StreamCounters | None, epoch: int, seq: int) -> Verdict:
    """Return the verdict on message ``seq`` of ``epoch``; numbers start at 1 in each epoch.

    A sender starts a new epoch only when the one before is acknowledged in full, so the first
    message of a newer epoch is the next one.
    """
    if committed is None:
        return Verdict.UNKNOWN
    if epoch < committed.epoch:
        return Verdict.STALE
    last = committed.seq if committed.epoch == epoch else 0
    if seq <= last:
        return Verdict.DUPLICATE
    return Verdict.NEXT if seq == last + 1 else Verdict.GAP


class StreamCounters(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A receiver's account of the numbers 1 to ``seq`` of one epoch of one stream."""

    epoch: int
    seq: int = 0
    applied: int = 0
    quarantined: int = 0
    skipped: int = 0

    @property
    def offset(self) -> Offset:
        """The offset up to which the stream is committed."""
        return Offset(self.epoch, self.seq)


def advance(
    before: StreamCounters | None, to: Offset, *, applied: int = 0, quarantined: int = 0
) -> StreamCounters:
    """Return the counters once ``to`` is committed; numbers passed over count as skipped.

    A number that is committed twice makes the counts exceed ``seq``, which an audit finds.
    """
    if before is None or before.epoch != to.epoch:
        before = StreamCounters(epoch=to.epoch)
    passed = to.seq - before.seq - applied - quarantined
    return StreamCounters(
        epoch=to.epoch,
        seq=to.seq,
        applied=before.applied + applied,
        quarantined=before.quarantined + quarantined,
        skipped=before.skipped + max(passed, 0),
    )

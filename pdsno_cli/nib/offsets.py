"""How far a stream is committed, and what that makes of a message's number; pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec


class Offset(NamedTuple):
    """The place of a message in its stream; positions order as the messages were numbered."""

    epoch: int
    seq: int


START = Offset(0, 0)  # before the first message of any stream


class Verdict(Enum):
    """What a receiver makes of a message's epoch and seq."""

    NEXT = "next"  # the one that follows: apply it
    DUPLICATE = "duplicate"  # committed already
    STALE = "stale"  # of an epoch that is over
    GAP = "gap"  # messages before it are missing: do not apply it, ask for them
    UNKNOWN = "unknown"  # from a stream of which nothing is committed yet


def judge(mark: Offset | StreamCounters | None, epoch: int, seq: int) -> Verdict:
    """Return the verdict on message ``seq`` of ``epoch``, which counts from 1 in each epoch.

    A sender begins to send an epoch only when all of the one before is acknowledged, so the first
    message of a new epoch follows.
    """
    if mark is None:
        return Verdict.UNKNOWN
    if epoch < mark.epoch:
        return Verdict.STALE
    last = mark.seq if mark.epoch == epoch else 0
    if seq <= last:
        return Verdict.DUPLICATE
    return Verdict.NEXT if seq == last + 1 else Verdict.GAP


class StreamCounters(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of the numbers 1 to ``seq`` of one epoch of one stream, at its receiver."""

    epoch: int
    seq: int = 0
    applied: int = 0
    quarantined: int = 0
    skipped: int = 0

    @property
    def offset(self) -> Offset:
        """How far the stream is committed."""
        return Offset(self.epoch, self.seq)


def advance(
    before: StreamCounters | None, to: Offset, *, applied: int = 0, quarantined: int = 0
) -> StreamCounters:
    """Return the counters once ``to`` is committed; numbers passed over count as skipped.

    A number that is committed again adds up to more than there are, and so an audit finds it.
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

"""Reconciles what a sender numbered with what its receiver committed; pure.

Every number that was ever assigned must be accounted for: committed, quarantined, coalesced into a
newer message, or still in the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.nib.offsets import Offset, StreamCounters

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A sender's own record of one epoch of one stream, read in one go.

    Its messages are numbered 1 to ``last``. ``waiting`` has those in the outbox, with the Unix time
    at which each was enqueued; ``coalesced`` has the ranges, ends included, that a newer message
    replaced; ``acknowledged`` is the highest offset that was ever acknowledged.
    """

    stream: str
    epoch: int
    last: int
    waiting: Mapping[int, float]
    coalesced: tuple[tuple[int, int], ...]
    acknowledged: Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where the messages of one epoch of one stream are, each counted once.

    ``earlier`` counts messages that the receiver skips: acknowledged before it had this store, or
    overtaken by the snapshot with which its store begins. ``lost`` counts those that are nowhere,
    ``twice`` those committed more often than sent. The oldest of the ``waiting`` ones was enqueued
    at ``oldest``, in Unix seconds.
    """

    sender: str
    receiver: str
    stream: str
    epoch: int
    sent: int
    committed: int
    quarantined: int
    coalesced: int
    waiting: int
    earlier: int
    lost: int
    twice: int
    oldest: float | None = None

    @property
    def accounted(self) -> bool:
        """Return True if no message is lost or committed twice."""
        return not (self.lost or self.twice)


def reconcile(sender: str, receiver: str, sent: Sent, counters: StreamCounters | None) -> Account:
    """Return the account of one epoch; ``counters`` are its receiver's, None if it has none.

    The sender's record must have been read before the receiver's: what is committed and dropped
    in between is then found at the receiver.
    """
    counters = counters or StreamCounters(epoch=sent.epoch)
    acknowledged = _acknowledged(sent)
    before = sum(_length(first, min(last, counters.seq)) for first, last in sent.coalesced)
    # A receiver skips what its sender no longer has, coalesced or acknowledged long ago, and what
    # it still has when a snapshot arrives first.
    skipped = min(counters.skipped, before)
    overtaken = sum(number <= counters.seq for number in sent.waiting)
    earlier = min(counters.skipped - skipped, acknowledged + overtaken)
    lost = counters.skipped - skipped - earlier
    waiting = coalesced = 0
    for number in range(counters.seq + 1, sent.last + 1):
        if number in sent.waiting:
            waiting += 1
        elif _within(number, sent.coalesced):
            coalesced += 1
        elif number <= acknowledged:
            earlier += 1
        else:
            lost += 1
    taken = counters.applied + counters.quarantined + counters.skipped
    return Account(
        sender=sender,
        receiver=receiver,
        stream=sent.stream,
        epoch=sent.epoch,
        sent=sent.last,
        committed=counters.applied,
        quarantined=counters.quarantined,
        coalesced=coalesced + skipped,
        waiting=waiting,
        earlier=earlier,
        lost=lost + max(counters.seq - taken, 0),
        twice=max(taken - min(counters.seq, sent.last), 0),
        oldest=min(
            (kept for number, kept in sent.waiting.items() if number > counters.seq), default=None
        ),
    )


def _acknowledged(sent: Sent) -> int:
    """Return the highest number of the epoch that was ever acknowledged."""
    if sent.acknowledged.epoch > sent.epoch:
        return sent.last
    return sent.acknowledged.seq if sent.acknowledged.epoch == sent.epoch else 0


def _within(number: int, ranges: Collection[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _length(first: int, last: int) -> int:
    return max(last - first + 1, 0)

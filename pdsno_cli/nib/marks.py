"""Judges a message's number against what is committed already; pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Mark(NamedTuple):
    """The last committed number of one sender's stream."""

    epoch: int
    seq: int


class Verdict(Enum):
    """What a receiver makes of a message's epoch and seq."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"
    STALE = "stale"  # of an epoch that is over
    GAP = "gap"  # fresh, but messages before it are missing


def judge(mark: Mark | None, epoch: int, seq: int) -> Verdict:
    """Return the verdict on message ``seq`` of ``epoch``, which counts from 1 in each epoch.

    ``seq`` 0 is a will: written before all that its sender numbered, so no duplicate of anything.
    """
    if mark is not None and epoch < mark.epoch:
        return Verdict.STALE
    if seq == 0:
        return Verdict.FRESH
    last = mark.seq if mark is not None and mark.epoch == epoch else 0
    if seq <= last:
        return Verdict.DUPLICATE
    return Verdict.FRESH if seq == last + 1 else Verdict.GAP

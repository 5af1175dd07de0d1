"""Epochs, the numbers of a sender's starts, and how far they may be ahead of the clock.

An epoch is the Unix time of a start in milliseconds, and only rises. One from the future, once
accepted, would exclude all later ones. No two starts of a controller share a millisecond, not even
where its store, which keeps the last epoch, is lost between them.
"""

from __future__ import annotations

SLACK = 86_400  # seconds: tolerates clocks that are off by hours, or set to another time zone


def epoch_at(moment: float) -> int:
    """Return the epoch of a start at ``moment``, in Unix seconds."""
    return int(moment * 1000)


def is_ahead(epoch: int, now: float, known: int = 0) -> bool:
    """Return True if ``epoch`` exceeds ``now`` (Unix seconds) and ``known`` by more than a slack.

    An epoch that was accepted before can be followed by the next one.
    """
    return epoch > max(epoch_at(now), known) + SLACK * 1000


def ahead_text(epoch: int, now: float) -> str:
    """Return as text how many days ``epoch`` is ahead of ``now``, in Unix seconds."""
    return f"{(epoch / 1000 - now) / 86_400:,.0f} days ahead of this controller's clock"

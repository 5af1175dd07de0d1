"""Bounds how far ahead of the clock epochs and versions may be.

An epoch is the Unix time of a sender's start, a policy's version that of its publication, and both
only rise. So one from the future, once accepted, would exclude all later ones.
"""

from __future__ import annotations

SLACK = 86_400  # seconds: tolerates clocks that are off by hours, or set to another time zone


def is_ahead(number: int, now: float, known: int = 0) -> bool:
    """Return True if ``number`` exceeds ``now`` (Unix seconds) and ``known`` by more than a slack.

    A number that was accepted before can be followed by the next one.
    """
    return number > max(now, known) + SLACK


def ahead_text(number: int, now: float) -> str:
    """Return as text how many days ``number`` is ahead of ``now``."""
    return f"{(number - now) / 86_400:,.0f} days ahead of this controller's clock"

"""How far ahead of the clock a number may be that was drawn from a clock: epochs, versions.

An epoch is the Unix time of a sender's start, a policy's version that of its publication, and both
only rise. So one from the future, believed once, would shut out all that comes after it.
"""

from __future__ import annotations

SLACK = 86_400  # seconds: clocks that are off by hours, or read as another time zone's, still work


def is_ahead(number: int, now: float, known: int = 0) -> bool:
    """Return True if ``number`` is further ahead than ``now``, or what is ``known``, plus a slack.

    ``now`` is in Unix seconds. A number that is known already is no worse than it was: whoever
    has to go on from there may.
    """
    return number > max(now, known) + SLACK


def ahead_text(number: int, now: float) -> str:
    """Return by how much ``number`` is ahead of ``now``, in days, for people."""
    return f"{(number - now) / 86_400:,.0f} days ahead of this controller's clock"

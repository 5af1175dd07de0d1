"""The delay before the next attempt to connect: exponential, capped, with full jitter."""

from __future__ import annotations

import random

FIRST = 0.2  # seconds that the first retry waits at most
CAP = 20.0  # seconds that any retry waits at most
# The cap in seconds if the host refuses or does not answer: attempts cost it nothing.
UNREACHED_CAP = 5.0
_DOUBLINGS = 10  # enough to reach the cap


class Backoff:
    """Counts failed attempts. Full jitter spreads clients that lost the same broker at once."""

    def __init__(self) -> None:
        self._attempts = 0

    def reset(self) -> None:
        """Restart from the shortest delay: the connection has held for a while."""
        self._attempts = 0

    def next(self, cap: float = CAP) -> float:
        """Return the seconds to wait before the next attempt, ``cap`` at most."""
        ceiling = min(cap, FIRST * 2 ** min(self._attempts, _DOUBLINGS))
        self._attempts += 1
        return random.uniform(0.0, ceiling)  # noqa: S311 - jitter needs no secrecy

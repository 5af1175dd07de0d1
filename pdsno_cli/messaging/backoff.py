"""How long to wait before the next attempt to connect: exponential, with full jitter."""

from __future__ import annotations

import random

FIRST = 0.2  # seconds that the first retry waits at most
CAP = 30.0  # seconds that any retry waits at most
_DOUBLINGS = 10  # enough to reach the cap


class Backoff:
    """Counts attempts in vain. Full jitter spreads those who lost the same broker at once."""

    def __init__(self) -> None:
        self._attempts = 0

    def reset(self) -> None:
        """Begin anew: the connection has held for a while."""
        self._attempts = 0

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        ceiling = min(CAP, FIRST * 2 ** min(self._attempts, _DOUBLINGS))
        self._attempts += 1
        return random.uniform(0.0, ceiling)  # noqa: S311 - jitter is no secret

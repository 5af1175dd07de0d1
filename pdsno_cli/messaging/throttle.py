"""Limits how often the same event is logged or announced; pure, given the clock."""

from __future__ import annotations

_MOST = 1_000  # keys that are remembered; beyond, all are forgotten


class Throttle:
    """Lets each key pass once in ``seconds``."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def due(self, key: str, now: float) -> bool:
        """Return True, and count ``key`` as passed, unless it passed within the last ``seconds``."""
        last = self._last.get(key)
        if last is not None and now - last < self._seconds:
            return False
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[key] = now
        return True

"""Limits how often the same thing is logged or announced; pure but for the clock it is given."""

from __future__ import annotations

_MOST = 1_000  # kinds that are remembered; beyond, all are forgotten


class Seldom:
    """Lets each kind of thing pass once in ``seconds``."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def due(self, kind: str, now: float) -> bool:
        """Return True if ``kind`` did not pass within the last ``seconds``; it does now."""
        last = self._last.get(kind)
        if last is not None and now - last < self._seconds:
            return False
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[kind] = now
        return True

"""The sequence numbers of a sender's messages: one count per stream, from 1, within one epoch."""

from __future__ import annotations


class SequenceCounter:
    """Counts the messages of one sender and epoch. The controller's thread owns it."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, stream: str) -> int:
        """Return the next number of ``stream``; the first is 1."""
        number = self._last.get(stream, 0) + 1
        self._last[stream] = number
        return number

    def back(self, stream: str) -> None:
        """Undo the last ``next`` of ``stream``: its message was not stored."""
        self._last[stream] -= 1

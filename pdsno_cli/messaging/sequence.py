"""The numbers of a sender's messages: one count per stream, from 1, for one epoch."""

from __future__ import annotations


class Sequence:
    """Counts the messages of one sender and epoch. One thread owns it: the controller's."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, stream: str) -> int:
        """Return the next number of ``stream``; the first is 1."""
        number = self._last.get(stream, 0) + 1
        self._last[stream] = number
        return number

    def back(self, stream: str) -> None:
        """Take the last number of ``stream`` back: what it was given to was not kept."""
        self._last[stream] -= 1

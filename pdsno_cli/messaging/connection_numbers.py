"""Numbers connections over several transports, so that a late will matches no later birth."""

from __future__ import annotations


class ConnectionNumbers:
    """Counts connections from 1, over all transports together. The owner's lock protects it."""

    def __init__(self) -> None:
        self._last = 0
        self._assigned: dict[str, tuple[int, bool]] = {}

    def assign(self, name: str) -> int:
        """Return the number of a transport's next connection, until ``take`` returns it."""
        self._last += 1
        self._assigned[name] = self._last, False
        return self._last

    def set_session(self, name: str, *, present: bool) -> None:
        """Record if the other side kept the session of a transport's connection."""
        if name in self._assigned:
            self._assigned[name] = self._assigned[name][0], present

    def take(self, name: str) -> tuple[int, bool]:
        """Return number and session of a transport's connection; a new number after the first time.

        Each time that a transport becomes active counts as a connection.
        """
        if name not in self._assigned:
            self.assign(name)
        return self._assigned.pop(name)

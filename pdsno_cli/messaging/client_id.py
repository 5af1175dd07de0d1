"""Chooses the client id: the declared one, until another client uses it; pure.

A broker closes a client's connection when another one connects with its id. MQTT 5 gives the reason
(0x8E), MQTT 3.1.1 none: there, several connections in a row that the broker accepts and soon closes
raise a suspicion. After a conflict the id gets a random suffix.
"""

from __future__ import annotations

import os

SHORT = 10.0  # seconds; a connection that ends within them counts as short
EVICTIONS = 3  # short connections in a row that make a suspicion


class ClientId:
    """The client id of one transport."""

    def __init__(self, declared: str) -> None:
        self.declared = declared
        self.current = declared
        self._short = 0

    @property
    def private(self) -> bool:
        """Return True if the id in use has a suffix."""
        return self.current != self.declared

    def ended(self, *, was_up: bool, held: float, taken_over: bool, refused: bool) -> bool:
        """Record a connection that ended after ``held`` seconds. Return True if the id is suspect.

        ``taken_over``: the broker gave that reason. ``refused``: it did not accept the client.
        """
        if refused and self.private:
            self.current = self.declared  # some brokers accept known ids only
        self._short = self._short + 1 if was_up and held <= SHORT else 0
        if taken_over:
            self._short = 0
            return True
        if self._short < EVICTIONS or self.private:
            return False
        self._short = 0
        return True

    def hide(self) -> None:
        """Use a random suffix from now on."""
        self.current = f"{self.declared}-{os.urandom(6).hex()}"

"""Which client id to connect with: the declared one, until somebody else takes it; pure.

A broker closes a client's connection when another one connects with its id. MQTT 5 gives the reason
(0x8E), MQTT 3.1.1 none: there, several connections in a row that the broker accepts and soon closes
raise a suspicion. An id that is taken gets a suffix that nobody else knows.
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
        """Judge a connection that ended after ``held`` seconds; return True if the id is suspect.

        ``taken_over`` is what the broker said; ``refused`` that it did not let the client in.
        """
        if refused and self.private:
            self.current = self.declared  # some brokers admit known ids only
        self._short = self._short + 1 if was_up and held <= SHORT else 0
        if taken_over:
            self._short = 0
            return True
        if self._short < EVICTIONS or self.private:
            return False
        self._short = 0
        return True

    def hide(self) -> None:
        """Use a suffix that only this process knows."""
        self.current = f"{self.declared}-{os.urandom(6).hex()}"

"""Judges from answers to pings whether the fork server lives, is stopped, or is to be replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = 1.5  # seconds between two pings
WAKE = 2  # ticks without an answer after which it may have been stopped by a signal
DEAD = 5  # ticks without an answer after which it is given up: 7.5 s
START = 40  # ticks that it may take to import, on a machine under load


class Liveness:
    """Pings one fork server. Event-loop thread only.

    Time is counted in pings that this process sent, not by the clock: what stops both of them, as
    a suspended machine does, is nobody's silence. ``served`` says that it has answered once.
    """

    def __init__(
        self,
        *,
        ping: Callable[[], None],
        wake: Callable[[], None],
        dead: Callable[[], None],
        tick: float = TICK,
    ) -> None:
        self._ping = ping
        self._wake = wake
        self._dead = dead
        self._tick = tick
        self._unanswered = 0
        self.served = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(tick, self._on_tick)

    def alive(self) -> None:
        """Something came from it."""
        self._unanswered = 0
        self.served = True

    def close(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _on_tick(self) -> None:
        self._unanswered += 1
        if self._unanswered > (DEAD if self.served else START):
            self._dead()
            return
        if self._unanswered > WAKE:
            self._wake()
        if self.served:
            self._ping()
        self._timer = self._loop.call_later(self._tick, self._on_tick)

"""Pings the fork server, wakes it when it may be stopped, and reports it dead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = 1.5  # seconds between two pings
WAKE = 2  # ticks without an answer after which it may be stopped by a signal
DEAD = 5  # ticks without an answer after which it is replaced: 7.5 s
START = 40  # ticks that it has to import, on a machine under load


class Liveness:
    """Pings one fork server. Event-loop thread only.

    Time is counted in pings sent, not by the clock: a suspended machine stops both processes.
    ``served`` is True once it has answered.
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
        """Note an answer."""
        self._unanswered = 0
        self.served = True

    def close(self) -> None:
        """Stop pinging."""
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

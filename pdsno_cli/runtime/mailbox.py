"""The mailbox loop: the work of the one thread that owns a controller's state.

Every other thread (network, sweep, signals) only posts. The mailbox is bounded, so a flood slows
the poster down, which in turn slows the broker down, instead of filling the memory.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from itertools import count

from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.runtime.signal_safe_queue import SignalSafeQueue

log = logging.getLogger(__name__)

Work = Callable[[], None]
_CAPACITY = 10_000


class Timer:
    """A call that will be made once, unless cancelled."""

    __slots__ = ("work",)

    def __init__(self, work: Work) -> None:
        self.work: Work | None = work

    def cancel(self) -> None:
        """Drop the call; harmless when it was made already."""
        self.work = None


class Mailbox:
    """A bounded queue of work and a heap of timers on the monotonic clock."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._queue: SignalSafeQueue[Work | None] = SignalSafeQueue()
        self._room = threading.Semaphore(capacity)
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._closed = False

    def post(self, work: Work) -> None:
        """Queue ``work`` from any other thread; waits while full, drops it once closed."""
        while not self._closed:
            if self._room.acquire(timeout=0.5):
                self._queue.put(work)
                return

    def again(self, work: Work) -> None:
        """Queue ``work`` behind all other work. Owner's thread only."""
        if self._room.acquire(blocking=False):
            self._queue.put(work)
        else:  # as it would else wait for itself
            self.after(0.0, work)

    def after(self, seconds: float, work: Work) -> Timer:
        """Call ``work`` on the owner's thread in ``seconds``. Owner's thread only."""
        timer = Timer(work)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    @property
    def closed(self) -> bool:
        """Return True if no more work is done."""
        return self._closed

    def close(self) -> None:
        """End ``run`` after the current work; from any thread, and from a signal handler."""
        self._closed = True
        self._queue.put(None)

    def run(self) -> None:
        """Run the queued work on the calling thread, until closed.

        An exception in one piece of work is logged and ends that piece alone; a foreseen one,
        such as a full disk, ends the loop; the caller restarts from the store.
        """
        while not self._closed:
            work = self._next()
            if work is None:
                continue
            try:
                work()
            except PdsnoError:
                raise
            except Exception:
                log.exception("a handler raised; its work is skipped")

    def _next(self) -> Work | None:
        until = self._timers[0][0] if self._timers else None
        if until is not None and until <= time.monotonic():
            return heapq.heappop(self._timers)[2].work
        work = self._queue.get(until)
        if work is not None:
            self._room.release()
        return work

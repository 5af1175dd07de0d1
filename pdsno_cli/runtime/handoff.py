"""Hands things from any thread, or a signal handler, to the one thread that waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Handoff(Generic[Thing]):
    """A queue that one thread takes from; a signal handler may put while that thread is inside.

    ``queue.SimpleQueue`` would be that, but it waits for ever where what is left of a timeout has
    become negative between two looks (seen with CPython 3.11.2 and 3.11.7).
    """

    def __init__(self) -> None:
        self._things: deque[Thing] = deque()
        self._news = threading.Lock()  # free when something was put since the last wait

    def put(self, thing: Thing) -> None:
        """Add what is taken last."""
        self._things.append(thing)
        with suppress(RuntimeError):  # it is free already
            self._news.release()

    def take(self, until: float | None) -> Thing | None:
        """Return what comes next, None when there is nothing by ``until`` (monotonic clock)."""
        while not self._things:
            wait = -1.0 if until is None else until - time.monotonic()
            if until is not None and wait <= 0:
                return None
            self._news.acquire(timeout=wait)
        return self._things.popleft()

"""A queue from any thread, or a signal handler, to the one thread that waits for its items."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")


class SignalSafeQueue(Generic[Item]):
    """A queue with one consumer; a signal handler may put while its thread is inside ``get``.

    ``queue.SimpleQueue`` would do, but it waits for ever where the rest of a timeout became
    negative between two checks (seen with CPython 3.11.2 and 3.11.7).
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._filled = threading.Lock()  # free when an item was put since the last wait

    def put(self, item: Item) -> None:
        """Append an item."""
        self._items.append(item)
        with suppress(RuntimeError):  # it is free already
            self._filled.release()

    def get(self, until: float | None) -> Item | None:
        """Return the next item, None when there is none by ``until`` (monotonic clock)."""
        while not self._items:
            wait = -1.0 if until is None else until - time.monotonic()
            if until is not None and wait <= 0:
                return None
            self._filled.acquire(timeout=wait)
        return self._items.popleft()

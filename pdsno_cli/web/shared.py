"""Readings on daemon threads, and one reading for all browsers that ask at the same time.

A reading may wait for a frozen supervisor or listen to a broker for a minute: the end of the command
does not wait for it, as it would for the threads of an executor.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")

READ_WAIT = 10.0  # seconds for a reading
SOON = 2.0  # seconds for one, where there is an older one to return
_MOST = 8  # readings at a time


class Threads:
    """Calls functions on daemon threads, at most ``_MOST`` at a time; belongs to one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_MOST)

    async def call(self, function: Callable[[], Value]) -> Value:
        """Return what ``function`` returns; TimeoutError after ``READ_WAIT``, while it goes on."""
        async with asyncio.timeout(READ_WAIT):
            return await asyncio.shield(await self.start(function))

    async def start(self, function: Callable[[], Value]) -> asyncio.Future[Value]:
        """Start ``function`` as soon as a thread is free; its future has the result."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Value] = loop.create_future()
        future.add_done_callback(lambda _: self._free.release())

        def finish(value: Value | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)  # type: ignore[arg-type]
            else:
                future.set_exception(error)
                future.exception()  # retrieved: nobody may be waiting any more

        def run() -> None:
            value: Value | None = None
            error: BaseException | None = None
            try:
                value = function()
            except BaseException as exc:  # noqa: BLE001 - raised again where it is awaited
                error = exc
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(finish, value, error)

        threading.Thread(target=run, name="read", daemon=True).start()
        return future


class Shared(Generic[Value]):
    """Calls ``read`` when its last result is older than ``keep`` seconds; one call at a time.

    ``get`` returns the newest result. Where a call takes longer than ``SOON``, that is the one before;
    where there is none, TimeoutError after ``READ_WAIT``.
    """

    def __init__(self, threads: Threads, read: Callable[[], Value], *, keep: float) -> None:
        self._threads = threads
        self._read = read
        self._keep = keep
        self._at = float("-inf")
        self._last: list[Value] = []
        self._reading: asyncio.Task[None] | None = None

    async def get(self) -> Value:
        """Return the newest result."""
        if self._reading is None and time.monotonic() - self._at > self._keep:
            self._reading = asyncio.create_task(self._renew())
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=SOON if self._last else READ_WAIT)
        if not self._last:
            raise TimeoutError
        return self._last[0]

    async def _renew(self) -> None:
        try:
            self._last = [await (await self._threads.start(self._read))]
        finally:
            self._at = time.monotonic()
            self._reading = None

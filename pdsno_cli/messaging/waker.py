"""Waits for a socket, and ends the wait from another thread."""

from __future__ import annotations

import math
import select
import socket
from contextlib import suppress

READ = select.POLLIN
WRITE = select.POLLOUT


class Waker:
    """One thread waits; any thread rings. Poll, not select, which ends at descriptor 1024."""

    def __init__(self) -> None:
        self._reader: socket.socket | None = None
        self._writer: socket.socket | None = None
        self._rung = False
        self._poll = select.poll()
        self._watched = -1  # its descriptor, while a socket is watched
        self._events = 0

    def open(self) -> None:
        """Take what waiting needs; ``close`` gives it back."""
        # Sockets, not a pipe: a late ring must not write to whatever took a closed number over.
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._poll.register(self._reader, READ)

    def ring(self) -> None:
        """End the wait at hand, or the next one; many rings in a row cost one system call."""
        if not self._rung and self._writer is not None:
            self._rung = True
            with suppress(OSError):
                self._writer.send(b"\0")

    def watch(self, sock: socket.socket | None) -> None:
        """Wait for ``sock`` from now on, for the one before no more, though it be closed."""
        if self._watched >= 0:
            self._poll.unregister(self._watched)
        self._watched = -1 if sock is None else sock.fileno()
        if sock is not None:
            self._events = READ
            self._poll.register(self._watched, READ)

    def wait(self, events: int, seconds: float) -> int:
        """Return which ``events`` the watched socket is ready for, 0 after a ring or ``seconds``.

        An error or an end is told as readiness for all that was asked.
        """
        if self._watched >= 0 and events != self._events:
            self._poll.modify(self._watched, events)
            self._events = events
        ready = 0
        for number, found in self._poll.poll(math.ceil(max(seconds, 0.0) * 1000)):
            if number == self._watched:
                ready = found & events or events
            elif self._reader is not None:
                with suppress(BlockingIOError):
                    self._reader.recv(64)
                # Only now: who rings in between has its work seen after this wait.
                self._rung = False
        return ready

    def close(self) -> None:
        """Give the sockets back; later rings are void."""
        for sock in (self._reader, self._writer):
            if sock is not None:
                sock.close()

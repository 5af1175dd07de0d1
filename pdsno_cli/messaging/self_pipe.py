"""Polls one socket, in a way that other threads can interrupt (the self-pipe trick)."""

from __future__ import annotations

import math
import select
import socket
from contextlib import suppress

READ = select.POLLIN
WRITE = select.POLLOUT


class SelfPipePoller:
    """One thread waits, any thread wakes it. Uses poll: select fails from descriptor 1024 on."""

    def __init__(self) -> None:
        self._reader: socket.socket | None = None
        self._writer: socket.socket | None = None
        self._woken = False
        self._poll = select.poll()
        self._watched = -1  # its descriptor, while a socket is watched
        self._events = 0

    def open(self) -> None:
        """Open the socket pair; ``close`` closes it."""
        # Sockets, not a pipe: a late wake must not write to a file that reuses the descriptor.
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._poll.register(self._reader, READ)

    def wake(self) -> None:
        """End the current wait, or the next one; several wakes in a row cost one system call."""
        if not self._woken and self._writer is not None:
            self._woken = True
            with suppress(OSError):
                self._writer.send(b"\0")

    def watch(self, sock: socket.socket | None) -> None:
        """Wait for ``sock`` from now on, instead of the previous one, which may be closed."""
        if self._watched >= 0:
            self._poll.unregister(self._watched)
        self._watched = -1 if sock is None else sock.fileno()
        if sock is not None:
            self._events = READ
            self._poll.register(self._watched, READ)

    def wait(self, events: int, seconds: float) -> int:
        """Return the ``events`` that the watched socket is ready for, 0 after a wake or a timeout.

        An error or the end of the connection counts as readiness for all of ``events``.
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
                # Not earlier: after a wake in between, its cause is handled after this wait.
                self._woken = False
        return ready

    def close(self) -> None:
        """Close the socket pair; later wakes have no effect."""
        for sock in (self._reader, self._writer):
            if sock is not None:
                sock.close()

"""A non-blocking socket of lines on the event loop, with descriptors passed along."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_READ = 262_144  # bytes read at once
_LAST_READS = 64  # reads at most of what a dead process left behind
_PAUSE = 0.05  # seconds until the next try when too many descriptors are in flight
_FULL = (errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM)


class LineSocket:
    """One end of a Unix stream socket. Event-loop thread only; takes over ``sock``.

    ``received`` is called with each whole line, without its newline; ``ended`` once, when the
    other end is closed, but not after ``close``.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        received: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._socket: socket.socket | None = sock
        self._received = received
        self._ended = ended
        self._rest = b""
        self._unsent: deque[tuple[memoryview, int | None]] = deque()
        self._writing = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    def send(self, data: bytes, descriptor: int | None = None) -> None:
        """Send bytes in order, as the other end has room for them.

        ``descriptor`` goes with the first byte; this object owns it and closes it once sent. After
        the end of the other side, bytes are dropped.
        """
        if self._socket is None:
            _close(descriptor)
            return
        self._unsent.append((memoryview(data), descriptor))
        if not self._writing:
            self._write()

    def drain(self) -> None:
        """Read now what the closed other end has left behind."""
        # Bounded: a process forked from the other end might go on writing.
        for _ in range(_LAST_READS):
            if self._socket is None or not self._read():
                return

    def close(self) -> None:
        """Close this end."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        self._forget_unsent()
        self._socket.close()
        self._socket = None

    def _read(self) -> bool:
        """Read what has arrived; return True if there was anything."""
        if self._socket is None:
            return False
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self._ended()
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._received(line)
        return True

    def _write(self) -> None:
        """Send what there is room for; called again when there is more room."""
        while self._unsent and self._socket is not None:
            data, descriptor = self._unsent[0]
            try:
                if descriptor is None:
                    sent = self._socket.send(data)
                else:
                    sent = socket.send_fds(self._socket, [data], [descriptor])
            except BlockingIOError:
                self._await_room()
                return
            except OSError as exc:
                if exc.errno in _FULL:
                    self._stop_writing()
                    self._writing = True
                    self._loop.call_later(_PAUSE, self._write)
                    return
                self._forget_unsent()  # the reader sees the end, after the last lines
                return
            _close(descriptor)
            if sent == len(data):
                self._unsent.popleft()
            else:  # a descriptor goes with the first byte
                self._unsent[0] = (data[sent:], None)
        self._stop_writing()

    def _await_room(self) -> None:
        if self._socket is not None:
            self._writing = True
            self._loop.add_writer(self._socket, self._write)

    def _stop_writing(self) -> None:
        if self._writing and self._socket is not None:
            self._loop.remove_writer(self._socket)
        self._writing = False

    def _forget_unsent(self) -> None:
        self._stop_writing()
        for _, descriptor in self._unsent:
            _close(descriptor)
        self._unsent.clear()


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)

"""The listening socket of an HTTP receiver: it keeps file descriptors in reserve.

An event loop accepts every pending connection, and spins once the process has no descriptor left.
Here connections are counted as they are accepted: those beyond the bound are closed at once, a burst
is accepted in small portions, and one descriptor is reserved to accept and close a connection when
there is no other.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any

from pdsno_cli.system.open_files import open_files_allowed

log = logging.getLogger(__name__)

MOST = 2_000  # connections at a time
BURST = 16  # connections accepted in a row before the event loop continues
KEPT_BACK = 64  # descriptors for the broker, the store, logs and other files of the controller
_LEAST = 8  # connections, even with few descriptors
_LOG_INTERVAL = 60.0  # seconds between two log lines about missing descriptors
_NO_FILES = (errno.EMFILE, errno.ENFILE)


def most_connections() -> int:
    """Return the number of connections for a receiver, by this process's limit of open files."""
    return max(_LEAST, min(MOST, open_files_allowed() - KEPT_BACK - BURST))


class Listener(socket.socket):
    """A listening socket that holds at most ``most`` connections and ``BURST`` more at a time."""

    def __init__(self, family: int, kind: int, most: int) -> None:
        super().__init__(family, kind)
        self.most = most
        self._open = 0
        self._burst = 0  # accepted in a row
        self._logged = -_LOG_INTERVAL
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection; BlockingIOError to let the event loop continue."""
        if self._burst >= BURST:
            self._burst = 0
            raise BlockingIOError(errno.EAGAIN, "a burst was accepted")
        try:
            plain, address = super().accept()
        except OSError as exc:
            self._burst = 0
            if exc.errno not in _NO_FILES:
                raise
            self._reject(exc)
            raise BlockingIOError(errno.EAGAIN, "no file is left") from exc
        self._burst += 1
        if self._open >= self.most + BURST:
            plain.close()
            raise BlockingIOError(errno.EAGAIN, "too many connections")
        self._open += 1
        return _Connection(self, plain), address

    def close(self) -> None:
        """Stop listening, and close the reserved descriptor."""
        super().close()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def closed(self) -> None:
        """Count a closed connection."""
        self._open -= 1

    def _reject(self, exc: OSError) -> None:
        """Accept and close one connection with the reserved descriptor: else the loop would spin."""
        now = time.monotonic()
        if now >= self._logged + _LOG_INTERVAL:
            self._logged = now
            log.warning("an HTTP connection was closed: %s", exc.strerror)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with suppress(OSError):
            super().accept()[0].close()
        try:
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            time.sleep(0.05)  # another thread took the descriptor


class _Connection(socket.socket):
    """A connection that its listener counts until it is closed."""

    def __init__(self, listener: Listener, plain: socket.socket) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._listener: Listener | None = listener

    def close(self) -> None:
        """Close it; the listener counts it once."""
        super().close()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.closed()

"""The socket that an HTTP receiver listens on: it never takes more files than are to spare.

An event loop accepts until nobody is left, and where the process has no file left it says so again
and again, without end. Here connections are counted as they are accepted: those beyond the bound
are closed at once, a burst is taken in small portions, and one file is kept to close with it whoever
comes when there is none.
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
BURST = 16  # connections accepted before those accepted earlier are looked at
KEPT_BACK = 64  # files for the broker, the store, logs and whatever else the controller opens
_LEAST = 8  # connections, however few files there are
_QUIET = 60.0  # seconds between two lines about files that ran out
_NO_FILES = (errno.EMFILE, errno.ENFILE)


def most_connections() -> int:
    """Return how many connections a receiver may hold, by the files that this process may open."""
    return max(_LEAST, min(MOST, open_files_allowed() - KEPT_BACK - BURST))


class Listener(socket.socket):
    """A listening socket that holds at most ``most`` connections and ``BURST`` more at a time."""

    def __init__(self, family: int, kind: int, most: int) -> None:
        super().__init__(family, kind)
        self.most = most
        self._open = 0
        self._run = 0  # accepted without a pause
        self._told = -_QUIET
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY)

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection; BlockingIOError when it is somebody else's turn."""
        if self._run >= BURST:
            self._run = 0
            raise BlockingIOError(errno.EAGAIN, "a portion is accepted")
        try:
            plain, address = super().accept()
        except OSError as exc:
            self._run = 0
            if exc.errno not in _NO_FILES:
                raise
            self._turn_away(exc)
            raise BlockingIOError(errno.EAGAIN, "no file is left") from exc
        self._run += 1
        if self._open >= self.most + BURST:
            plain.close()
            raise BlockingIOError(errno.EAGAIN, "too many connections")
        self._open += 1
        return _Connection(self, plain), address

    def close(self) -> None:
        """Listen no more, and give the spare file back."""
        super().close()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None

    def closed(self) -> None:
        """Count one connection less."""
        self._open -= 1

    def _turn_away(self, exc: OSError) -> None:
        """Close with the spare file whoever waits: else the loop would spin, or the caller hang."""
        now = time.monotonic()
        if now >= self._told + _QUIET:
            self._told = now
            log.warning("an HTTP connection is turned away: %s", exc.strerror)
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with suppress(OSError):
            super().accept()[0].close()
        try:
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            time.sleep(0.05)  # somebody else was quicker: let it end what it does


class _Connection(socket.socket):
    """A connection that tells its listener when it is closed."""

    def __init__(self, listener: Listener, plain: socket.socket) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._listener: Listener | None = listener

    def close(self) -> None:
        """Close it, once."""
        super().close()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.closed()

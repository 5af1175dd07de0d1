"""Socket settings that probes share: large buffers, and the errors that concern one target only."""

from __future__ import annotations

import contextlib
import errno
import socket

BUFFER_BYTES = 4 * 1024 * 1024

# The send failed for this target, permanently or for now; others may succeed. EACCES: a broadcast address
# or a route that prohibits. EINVAL: a blackhole route. ECONNREFUSED: always an earlier target's.
_ONE_TARGET = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EINVAL,
        errno.EADDRNOTAVAIL,
        errno.EHOSTUNREACH,
        errno.EHOSTDOWN,
        errno.ECONNREFUSED,
    }
)
_NO_NETWORK = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.ENODEV})
FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})  # a buffer, or the queue of a card
_ATTEMPTS = 3  # a send first reports (and clears) an error that an earlier target left behind

# Linux: beyond net.core.*mem_max, with CAP_NET_ADMIN (socket(7)); no constant in the library.
_FORCE = {socket.SO_SNDBUF: 32, socket.SO_RCVBUF: 33}


def enlarge_buffers(sock: socket.socket) -> None:
    """Set socket buffers large enough for a whole sweep, as far as the machine allows.

    Requests to neighbours that are not resolved yet occupy the send buffer; with the default
    size, answers of present devices get lost.
    """
    for option, forced in _FORCE.items():
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        if sock.getsockopt(socket.SOL_SOCKET, option) < BUFFER_BYTES:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)


class DatagramSender:
    """Sends datagrams and records if any was sent, to distinguish silence from a missing network."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sent = False
        self._reason: str | None = None

    @property
    def error(self) -> str | None:
        """The last reason why no datagram could be sent.

        None once one was sent, or failed for its own target only.
        """
        return None if self._sent else self._reason

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send a datagram. Return False if this target cannot be reached.

        Raises BlockingIOError if the send buffer is full.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._sock.sendto(data, address)
            except OSError as exc:
                if exc.errno in FULL:
                    raise BlockingIOError(exc.errno, exc.strerror) from exc
                if exc.errno in _NO_NETWORK:
                    self._reason = exc.strerror
                    return False
                if exc.errno not in _ONE_TARGET:
                    raise
            else:
                self._sent = True
                return True
        self._sent = True
        return False

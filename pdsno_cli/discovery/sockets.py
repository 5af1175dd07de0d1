"""Socket settings that probes share: large buffers, and the errors that concern one target only."""

from __future__ import annotations

import contextlib
import errno
import socket

BUFFER_BYTES = 4 * 1024 * 1024

# The send failed for good for this target, or for now; others may do. EACCES: a broadcast address
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
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
_ATTEMPTS = 3  # a send first reports (and clears) an error that an earlier target left behind

# Linux: beyond net.core.*mem_max, with CAP_NET_ADMIN (socket(7)); no constant in the library.
_FORCE = {socket.SO_SNDBUF: 32, socket.SO_RCVBUF: 33}


def enlarge_buffers(sock: socket.socket) -> None:
    """Give a socket buffers for a whole sweep, as far as the machine allows.

    Questions to neighbours that are not resolved yet hold the send buffer; with the default
    size, answers of devices that are there get lost.
    """
    for option, forced in _FORCE.items():
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        if sock.getsockopt(socket.SOL_SOCKET, option) < BUFFER_BYTES:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)


class Sender:
    """Sends datagrams and remembers whether any got out, to tell a silent network from none.

    ``trouble`` is the last reason why nothing could be sent, None once one question got out or
    was refused for its own target only.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._out = False
        self._reason: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why no question at all could be sent, or None."""
        return None if self._out else self._reason

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send; False when this target cannot be asked, BlockingIOError when the buffer is full."""
        for _ in range(_ATTEMPTS):
            try:
                self._sock.sendto(data, address)
            except OSError as exc:
                if exc.errno in _FULL:
                    raise BlockingIOError(exc.errno, exc.strerror) from exc
                if exc.errno in _NO_NETWORK:
                    self._reason = exc.strerror
                    return False
                if exc.errno not in _ONE_TARGET:
                    raise
            else:
                self._out = True
                return True
        self._out = True
        return False

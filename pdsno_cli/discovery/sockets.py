"""Socket settings that probes share: large buffers, and the errors that concern one target only."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Sequence

from pdsno_cli.model.address_numbers import IPV6, canonical, is_ipv6
from pdsno_cli.model.targets import AddressSet

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


def families(addresses: Sequence[str]) -> list[int]:
    """Return the address families of these addresses, IPv4 first."""
    if isinstance(addresses, AddressSet):
        ranges = addresses.ranges
        found = {ranges[0].first >= IPV6, ranges[-1].first >= IPV6} if ranges else set()
    else:
        found = {is_ipv6(address) for address in addresses}
    return [socket.AF_INET6 if six else socket.AF_INET for six in sorted(found)]


def plain_source(address: str) -> str:
    """Return the address of a sender, as the library gives it, in canonical form without its zone."""
    return canonical(address.partition("%")[0]) if ":" in address else address


class DatagramSender:
    """Sends datagrams and records if any was sent, to distinguish silence from a missing network."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.sent = False  # one was, or failed for its own target only
        self._reason: str | None = None

    @property
    def error(self) -> str | None:
        """The last reason why no datagram could be sent.

        None once one was sent, or failed for its own target only.
        """
        return None if self.sent else self._reason

    def send(self, data: bytes, address: tuple[str, int] | tuple[str, int, int, int]) -> bool:
        """Send a datagram. Return False if this target cannot be reached.

        Raises BlockingIOError if the send buffer, or the kernel's table of neighbours, is full.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._sock.sendto(data, address)
            except OSError as exc:
                if exc.errno in FULL:
                    raise BlockingIOError(exc.errno, exc.strerror) from exc
                if exc.errno == errno.EINVAL and _is_routed_by_ipv6(address[0]):
                    # How IPv6 says that the kernel's table of neighbours is full.
                    raise BlockingIOError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)) from exc
                if exc.errno in _NO_NETWORK:
                    self._reason = exc.strerror
                    return False
                if exc.errno not in _ONE_TARGET:
                    raise
            else:
                self.sent = True
                return True
        self.sent = True
        return False


def _is_routed_by_ipv6(address: str) -> bool:
    """Return True for an IPv6 address to which a route leads: a blackhole is none."""
    if not is_ipv6(address):
        return False
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, 9))  # sends nothing: UDP
        except OSError:
            return False
    return True

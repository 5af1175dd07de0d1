"""Sends and receives datagrams of UDP to addresses of both families, on one socket each."""

from __future__ import annotations

import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.sockets import DatagramSender, enlarge_buffers, families, plain_source
from pdsno_cli.model.address_numbers import is_ipv6

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_DATAGRAM_BYTES = 65_535  # of UDP: an answer may be far larger than asked for
_NO_FAMILY = "this machine has no IPv6"


class UdpSockets:
    """The sockets of the families that are asked; they do not block."""

    def __init__(self, sockets: Iterable[socket.socket]) -> None:
        self._sockets = list(sockets)
        self._senders = {
            sock.family == socket.AF_INET6: DatagramSender(sock) for sock in self._sockets
        }
        self._missing = False

    def filenos(self) -> list[int]:
        """Return the descriptors that become readable when answers arrive."""
        return [sock.fileno() for sock in self._sockets]

    @property
    def error(self) -> str | None:
        """The last reason why no datagram could be sent, None once one was."""
        reasons = [sender.error for sender in self._senders.values()]
        if any(sender.sent for sender in self._senders.values()):
            return None
        return next(filter(None, reasons), _NO_FAMILY if self._missing else None)

    def send(self, data: bytes, address: str, port: int) -> bool:
        """Send a datagram. Return False if this target cannot be reached.

        Raises BlockingIOError if the send buffer is full.
        """
        sender = self._senders.get(is_ipv6(address))
        if sender is None:
            self._missing = True
            return False
        return sender.send(data, (address, port))

    def receive(self) -> Iterator[tuple[bytes, str, int] | None]:
        """Yield each datagram that has arrived, with address and port; None for an error.

        The error is that of an unreachable target; its details are queued, too.
        """
        for sock in self._sockets:
            while True:
                try:
                    data, source = sock.recvfrom(_DATAGRAM_BYTES)
                except BlockingIOError:
                    break
                except OSError:
                    yield None
                    continue
                yield data, plain_source(source[0]), source[1]

    def closed(self) -> Iterator[tuple[str, int] | None]:
        """Yield the address and port of each target without a listener; None for other errors."""
        for sock in self._sockets:
            yield from unreachable.closed_ports(sock)


@contextmanager
def udp_sockets(addresses: Sequence[str]) -> Iterator[UdpSockets]:
    """Open the sockets that sending to ``addresses`` takes; closes them at the end."""
    with ExitStack() as stack:
        opened = []
        for family in families(addresses):
            try:
                sock = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            except OSError:
                if family == socket.AF_INET:
                    raise
                continue  # a machine without IPv6: those targets cannot be reached
            sock.setblocking(False)
            enlarge_buffers(sock)
            unreachable.enable(sock)
            opened.append(sock)
        yield UdpSockets(opened)

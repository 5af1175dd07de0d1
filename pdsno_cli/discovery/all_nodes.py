"""Finds the neighbours on IPv6 links by an echo request to all nodes (ff02::1, RFC 4291 section 2.7.1).

Hosts answer it after a random delay, some from a link-local address, and some not at all (RFC 4443
section 4.2 lets them), so it is sent several times, and the kernel's table of neighbours adds those
that it knows.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING

from pdsno_cli.discovery import neighbours6
from pdsno_cli.discovery.echo import EchoSocket
from pdsno_cli.model.address_numbers import address_number, address_text

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from pdsno_cli.discovery.onlink6 import Link6
    from pdsno_cli.model.targets import AddressSet

ROUNDS, MORE = 3, 2  # requests on each link, and further ones while each finds somebody new
WAIT = 0.3  # seconds for the answers to one request
_GROUP = "ff02::1"
_IDENTIFIER = (1 << 64) - 1  # the bits of an address that are the interface's
_CANCEL_POLL = 0.05  # seconds


def neighbours_of(
    links: Sequence[Link6], wanted: AddressSet, cancel: threading.Event, *, wait: float = WAIT
) -> set[str]:
    """Return the addresses in ``wanted`` of the hosts on ``links``.

    Not all of them have answered: those that the kernel's table has are among them, and for a host
    that answered from its link-local address the one with the same interface identifier. Raises ProbeUnavailableError if the machine allows no ICMP socket.
    """
    sockets: dict[int, tuple[Link6, EchoSocket]] = {}
    heard: dict[int, set[str]] = {link.index: set() for link in links}
    poller = select.poll()
    try:
        for link in links:
            sock = EchoSocket(socket.AF_INET6)
            sockets[sock.sock.fileno()] = link, sock
            _aim(sock.sock, link)
            poller.register(sock.sock.fileno(), select.POLLIN)
        for number in range(ROUNDS + MORE):
            before = sum(map(len, heard.values()))
            for link, sock in sockets.values():
                with contextlib.suppress(BlockingIOError):  # then the next round is sent
                    sock.sender.send(sock.request(number), (_GROUP, 0, 0, link.index))
            until = time.monotonic() + wait
            while (left := until - time.monotonic()) > 0 and not cancel.is_set():
                for descriptor, _ in poller.poll(min(left, _CANCEL_POLL) * 1000):
                    link, sock = sockets[descriptor]
                    heard[link.index] |= {reply[1] for reply in sock.receive() if reply is not None}
            found_more = sum(map(len, heard.values())) > before
            if cancel.is_set() or (number + 1 >= ROUNDS and not found_more):
                break
    finally:
        for _, sock in sockets.values():
            sock.close()
    return _in(wanted, links, heard)


def _aim(sock: socket.socket, link: Link6) -> None:
    """Let requests leave by the link, from the machine's address in the prefix that is asked."""
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link.index)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)  # it is for this link only
    sock.bind((link.source, 0))


def _in(wanted: AddressSet, links: Sequence[Link6], heard: Mapping[int, set[str]]) -> set[str]:
    """Return the wanted addresses of what was heard on each interface, and of its neighbours."""
    numbers = {address_number(address) for found in heard.values() for address in found}
    numbers |= {
        address_number(item.address) for item in neighbours6.resolved() if item.interface in heard
    }
    for link in links:
        numbers |= {
            link.prefix.first | address_number(address) & _IDENTIFIER
            for address in heard[link.index]
            if address.startswith("fe80:")
        }
    return {address_text(number) for number in numbers if wanted.has(number)}

"""The kernel's table of IPv6 neighbours (Linux, rtnetlink(7)): who is on which link, with which MAC."""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.model.address_numbers import IPV6, address_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GET, _NEW, _DELETE = 30, 28, 29  # RTM_GETNEIGH, RTM_NEWNEIGH, RTM_DELNEIGH
_DONE, _ERROR = 3, 2  # NLMSG_DONE, NLMSG_ERROR
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # ndmsg
_ATTRIBUTE = struct.Struct("=HH")
_DESTINATION, _MAC = 1, 2  # NDA_DST, NDA_LLADDR
# NUD_REACHABLE, STALE, DELAY, PROBE and PERMANENT: those whose MAC is known.
_RESOLVED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
_LIMIT = "/proc/sys/net/ipv6/neigh/default/gc_thresh3"
_DEFAULT_LIMIT = 1024
_BATCH = 100  # requests in one datagram
_BUFFER = 1 << 16
_SECONDS = 5.0


class Neighbour(NamedTuple):
    """An address on the link of an interface, given by its number, and the six bytes of its MAC."""

    interface: int
    address: str
    mac: bytes


def parse(data: bytes) -> Iterator[Neighbour | None]:
    """Yield the resolved neighbours in netlink messages; None at the end of the dump."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        if kind in {_DONE, _ERROR} or length < _HEADER.size:
            yield None
            return
        if kind == _NEW:
            found = _neighbour(data[at + _HEADER.size : at + length])
            if found is not None:
                yield found
        at += length + 3 & ~3


def _neighbour(body: bytes) -> Neighbour | None:
    if len(body) < _NEIGHBOUR.size:
        return None
    family, interface, state, _, _ = _NEIGHBOUR.unpack_from(body)
    attributes: dict[int, bytes] = {}
    at = _NEIGHBOUR.size
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = body[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3
    address, mac = attributes.get(_DESTINATION, b""), attributes.get(_MAC, b"")
    if family != socket.AF_INET6 or not state & _RESOLVED or len(address) != 16 or len(mac) != 6:
        return None
    return Neighbour(interface, address_text(IPV6 | int.from_bytes(address, "big")), mac)


def forget(entries: Iterable[Neighbour]) -> None:
    """Delete entries, so that others fit; no effect without CAP_NET_ADMIN."""
    with (
        contextlib.suppress(AttributeError, OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock,
    ):
        messages = [_deletion(item) for item in entries]
        for at in range(0, len(messages), _BATCH):
            sock.send(b"".join(messages[at : at + _BATCH]))


def _deletion(item: Neighbour) -> bytes:
    body = _NEIGHBOUR.pack(socket.AF_INET6, item.interface, 0, 0, 0)
    body += _ATTRIBUTE.pack(_ATTRIBUTE.size + 16, _DESTINATION)
    body += socket.inet_pton(socket.AF_INET6, item.address)
    return _HEADER.pack(_HEADER.size + len(body), _DELETE, 1, 0, 0) + body


def limit() -> int:
    """Return how many neighbours the kernel's table holds; it is shared by all namespaces."""
    try:
        return int(Path(_LIMIT).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a namespace does not show it
        return _DEFAULT_LIMIT


def resolved() -> list[Neighbour]:
    """Return the neighbours whose MACs the kernel knows; none where it does not say."""
    found: list[Neighbour] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
            sock.settimeout(_SECONDS)
            body = _NEIGHBOUR.pack(socket.AF_INET6, 0, 0, 0, 0)
            size = _HEADER.size + len(body)
            sock.send(_HEADER.pack(size, _GET, _REQUEST_DUMP, 1, 0) + body)
            while True:
                for item in parse(sock.recv(_BUFFER)):
                    if item is None:
                        return found
                    found.append(item)
    except (AttributeError, OSError):  # another system has no such sockets
        return found

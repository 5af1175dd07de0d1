"""The kernel's table of IPv6 neighbours (Linux, rtnetlink(7)): who is on which link, with which MAC."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.model.address_numbers import IPV6, address_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_GET, _NEW, _DONE, _ERROR = 30, 28, 3, 2  # RTM_GETNEIGH, RTM_NEWNEIGH, NLMSG_DONE, NLMSG_ERROR
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # ndmsg
_ATTRIBUTE = struct.Struct("=HH")
_DESTINATION, _MAC = 1, 2  # NDA_DST, NDA_LLADDR
# NUD_REACHABLE, STALE, DELAY, PROBE and PERMANENT: those whose MAC is known.
_RESOLVED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
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

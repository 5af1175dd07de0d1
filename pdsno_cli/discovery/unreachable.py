"""Detects closed UDP ports from the machine's own ICMP queue (Linux, ip(7) IP_RECVERR, ipv6(7)).

A host without an agent answers at once with 'port unreachable' (RFC 792, RFC 4443), which saves the
timeout and the retries. On other systems timeouts decide.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING

from pdsno_cli.discovery.sockets import plain_source

if TYPE_CHECKING:
    from collections.abc import Iterator

# Level and option that enable the queue, by family; no constants in the library before 3.14.
_RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_EXTENDED_ERROR = struct.Struct("=IBBBB")  # ee_errno, ee_origin, ee_type, ee_code, ee_pad
# SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6, each with its type and code of a closed port.
_CLOSED = frozenset({(2, 3, 3), (3, 1, 4)})


def enable(sock: socket.socket) -> None:
    """Make the kernel queue ICMP errors of ``sock`` for ``closed_ports``."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(*_RECVERR[sock.family], 1)


def closed_ports(sock: socket.socket) -> Iterator[tuple[str, int] | None]:
    """Drain the queue; for each error yield the closed address and port, or None."""
    if sys.platform != "linux":
        return
    while True:
        try:
            _, ancillary, _, destination = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return
        closed = any(map(_is_closed, ancillary))
        yield (plain_source(destination[0]), destination[1]) if closed else None


def _is_closed(item: tuple[int, int, bytes]) -> bool:
    level, kind, data = item
    if (level, kind) not in _RECVERR.values() or len(data) < _EXTENDED_ERROR.size:
        return False
    _, origin, icmp_type, code, _ = _EXTENDED_ERROR.unpack_from(data)
    return (origin, icmp_type, code) in _CLOSED

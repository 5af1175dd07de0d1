"""Detects closed UDP ports from the machine's own ICMP queue (Linux, ip(7) IP_RECVERR).

A host without an agent answers at once with 'port unreachable' (RFC 792), which saves the timeout
and the retries. On other systems timeouts decide.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IP_RECVERR = 11  # no constant in the library before 3.14
_EXTENDED_ERROR = struct.Struct("=IBBBB")  # ee_errno, ee_origin, ee_type, ee_code, ee_pad
_FROM_ICMP = 2  # SO_EE_ORIGIN_ICMP
_PORT_UNREACHABLE = (3, 3)


def enable(sock: socket.socket) -> None:
    """Make the kernel queue ICMP errors of ``sock`` for ``closed_ports``."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def closed_ports(sock: socket.socket) -> Iterator[tuple[str, int] | None]:
    """Drain the queue; for each error yield the closed address and port, or None."""
    if sys.platform != "linux":
        return
    while True:
        try:
            _, ancillary, _, destination = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return
        yield (destination[0], destination[1]) if any(map(_is_closed, ancillary)) else None


def _is_closed(item: tuple[int, int, bytes]) -> bool:
    level, kind, data = item
    if (level, kind) != (socket.IPPROTO_IP, _IP_RECVERR) or len(data) < _EXTENDED_ERROR.size:
        return False
    _, origin, icmp_type, code, _ = _EXTENDED_ERROR.unpack_from(data)
    return origin == _FROM_ICMP and (icmp_type, code) == _PORT_UNREACHABLE

"""A socket for ICMP echo of one family (RFC 792, RFC 4443): a datagram socket where allowed, else a raw one.

Several sweeps may run on one machine at once. The kernel gives each datagram socket its own
identifier; raw sockets see all replies, so a kernel filter keeps those of this identifier. Both
check a random token in the data, so no sweep accepts the reply to another's.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.kernel_filter import Step, attach
from pdsno_cli.discovery.probe import PrivilegeError, ProbeUnavailableError
from pdsno_cli.discovery.sockets import DatagramSender, enlarge_buffers, plain_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROTOCOLS: Mapping[int, int] = {
    socket.AF_INET: socket.IPPROTO_ICMP,
    socket.AF_INET6: socket.IPPROTO_ICMPV6,
}
_REQUEST: Mapping[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: Mapping[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_TOKEN_BYTES = 8
_INDEX = struct.Struct("!I")
_ICMP6_FILTER = 1  # an option of level IPPROTO_ICMPV6 (RFC 3542 section 3.2), a bit for each type


class EchoSocket:
    """Sends echo requests, each with a number, and reads the replies.

    Raises ProbeUnavailableError if the machine allows no such socket, or lacks the family.
    """

    def __init__(self, family: int) -> None:
        self.sock, self.raw = _open(family)
        self._family = family
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._token = os.urandom(_TOKEN_BYTES)
        self.sender = DatagramSender(self.sock)
        if self.raw and sys.platform == "linux":
            if family == socket.AF_INET6:
                wanted = bytearray(b"\xff" * 32)
                wanted[_REPLY[family] // 8] ^= 1 << _REPLY[family] % 8
                self.sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(wanted))
            attach(self.sock, _replies_of(self._identifier, family))

    def close(self) -> None:
        """Close the socket; harmless when repeated."""
        self.sock.close()

    def request(self, index: int) -> bytes:
        """Return the request with a number."""
        data = self._token + _INDEX.pack(index)
        fields = (self._identifier, index & 0xFFFF)
        kind = _REQUEST[self._family]
        blank = _HEADER.pack(kind, 0, 0, *fields) + data
        # That of ICMPv6 covers addresses that are not known here: the kernel computes it.
        total = checksum(blank) if self._family == socket.AF_INET else 0
        return _HEADER.pack(kind, 0, total, *fields) + data

    def receive(self) -> Iterator[tuple[int, str] | None]:
        """Yield the number and the source of each reply that has arrived, None for anything else."""
        for _ in unreachable.closed_ports(self.sock):
            yield None  # the error of one target, which counts as no answer
        while True:
            try:
                packet, source = self.sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                yield None  # the same error, reported again
                continue
            index = self._number(packet)
            yield None if index is None else (index, plain_source(source[0]))

    def _number(self, packet: bytes) -> int | None:
        """Return the number of the request that a packet replies to, None if it is none of these."""
        # A raw socket of IPv4 delivers the IP header; macOS does so on datagram sockets as well.
        if self._family == socket.AF_INET and (self.raw or sys.platform == "darwin"):
            packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
        end = _HEADER.size + _TOKEN_BYTES
        if len(packet) < end + _INDEX.size or packet[0] != _REPLY[self._family]:
            return None
        if packet[_HEADER.size : end] != self._token:
            return None
        return int(_INDEX.unpack_from(packet, end)[0])


def _open(family: int) -> tuple[socket.socket, bool]:
    """Return a non-blocking ICMP socket, and True if it is raw."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(family, kind, _PROTOCOLS[family])
        except OSError as exc:
            if exc.errno == errno.EAFNOSUPPORT:
                raise ProbeUnavailableError("this machine has no IPv6") from exc
            continue
        sock.setblocking(False)
        enlarge_buffers(sock)
        # Else the kernel drops what finds its neighbour table full, without an error.
        unreachable.enable(sock)
        return sock, kind == socket.SOCK_RAW
    raise PrivilegeError("icmp")


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of ``data``."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return ~total & 0xFFFF


def _replies_of(identifier: int, family: int) -> tuple[Step, ...]:
    """Return a filter that keeps echo replies of ``identifier`` only.

    Otherwise hundreds of sweeps at once would fill each other's receive buffers.
    """
    start: tuple[Step, ...]
    if family == socket.AF_INET:
        start = (
            (0xB1, 0, 0, 0),  # X = length of the IP header
            (0x50, 0, 0, 0),  # A = ICMP type
            (0x15, 0, 3, _REPLY[socket.AF_INET]),  # not a reply: drop
            (0x48, 0, 0, 4),  # A = identifier
        )
    else:
        start = (
            (0x30, 0, 0, 0),  # A = type: the filter sees no IPv6 header
            (0x15, 0, 3, _REPLY[socket.AF_INET6]),  # not a reply: drop
            (0x28, 0, 0, 4),  # A = identifier
        )
    return (
        *start,
        (0x15, 0, 1, identifier),  # another's: drop
        (0x06, 0, 0, 0xFFFF),  # keep
        (0x06, 0, 0, 0),  # drop
    )

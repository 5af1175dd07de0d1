"""ICMP echo (RFC 792) to many IPv4 addresses: a datagram socket where allowed, else a raw one.

Several sweeps may run on one machine at once. The kernel gives each datagram socket its own
identifier; raw sockets see all replies, so a kernel filter keeps those of this identifier. Both
check the address and a random token in the data, so no sweep accepts the reply to another's.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import TYPE_CHECKING

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.kernel_filter import Step, attach
from pdsno_cli.discovery.pace import by_index
from pdsno_cli.discovery.probe import (
    Answers,
    PrivilegeError,
    Probe,
    ProbeRequest,
    ProbeUnavailableError,
)
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import DatagramSender, enlarge_buffers
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Container, Iterator, Sequence

    from pdsno_cli.discovery.progress import Progress

RATE = FACTS["icmp"].rate  # requests a second
TRIES = FACTS["icmp"].tries
TIMEOUT = FACTS["icmp"].timeout  # seconds to wait for the answer of one try, at most
FLOOR = FACTS["icmp"].floor  # and at least

_ECHO, _ECHO_REPLY = 8, 0
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_TOKEN_BYTES = 8
_INDEX = struct.Struct("!I")


class IcmpProbe:
    """Implements ``Probe``."""

    def preload(self) -> None:
        """Do nothing: this module imports no library."""

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return every target that answers, without fields."""
        facts, pace = FACTS["icmp"], request.pace
        found = sweep(
            request.targets,
            request.cancel,
            rate=pace.rate_of(facts),
            timeout=pace.ceiling_of(facts),
            floor=pace.floor_of(facts),
            patient=pace.patient(facts),
            progress=request.progress,
        )
        return {address: {} for address in found}


PROBE: Probe = IcmpProbe()


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of ``data``."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return ~total & 0xFFFF


def sweep(
    targets: Sequence[str],
    cancel: threading.Event,
    *,
    rate: float = RATE,
    tries: int = TRIES,
    timeout: float = TIMEOUT,
    floor: float | None = FLOOR,
    patient: Container[str] | None = None,
    progress: Progress | None = None,
) -> frozenset[str]:
    """Return the addresses among ``targets`` that answer.

    ``floor``, ``patient`` (addresses) and ``progress`` are those of ``request_all``. Raises ProbeUnavailableError if the machine allows no ICMP socket or has no network.
    """
    sock, raw = _open()
    with sock:
        echo = _Echo(sock, targets, raw=raw)
        request_all(
            echo,
            range(len(targets)),
            rate=rate,
            tries=tries,
            timeout=timeout,
            cancel=cancel,
            floor=floor,
            patient=by_index(targets, patient),
            progress=progress,
        )
    if echo.sender.error is not None and not echo.answered:
        raise ProbeUnavailableError(f"no echo request could be sent: {echo.sender.error}")
    return frozenset(targets[index] for index in echo.answered)


def _open() -> tuple[socket.socket, bool]:
    """Return a non-blocking ICMP socket, and True if it is raw."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        except OSError:
            continue
        sock.setblocking(False)
        enlarge_buffers(sock)
        # Else the kernel drops what finds its neighbour table full, without an error.
        unreachable.enable(sock)
        return sock, kind == socket.SOCK_RAW
    raise PrivilegeError("icmp")


class _Echo:
    """Implements ``ProbeSocket``: one echo request per target; token, index and address must match."""

    def __init__(self, sock: socket.socket, targets: Sequence[str], *, raw: bool) -> None:
        self._sock = sock
        self._targets = targets
        self._raw = raw
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._token = os.urandom(_TOKEN_BYTES)
        self.sender = DatagramSender(sock)
        self.answered: set[int] = set()
        if raw and sys.platform == "linux":
            attach(sock, _replies_of(self._identifier))

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, index: int) -> bool:
        data = self._token + _INDEX.pack(index)
        fields = (self._identifier, index & 0xFFFF)
        blank = _HEADER.pack(_ECHO, 0, 0, *fields) + data
        packet = _HEADER.pack(_ECHO, 0, checksum(blank), *fields) + data
        return self.sender.send(packet, (self._targets[index], 0))

    def receive(self) -> Iterator[int | None]:
        for _ in unreachable.closed_ports(self._sock):
            yield None  # the error of one target, which counts as no answer
        while True:
            try:
                packet, (address, _) = self._sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                yield None  # the same error, reported again
                continue
            index = self._match(packet, address)
            if index is not None:
                self.answered.add(index)
            yield index

    def _match(self, packet: bytes, address: str) -> int | None:
        """Return the target that a packet answers for, None if it is not a reply to this sweep."""
        # A raw socket delivers the IP header too; macOS does so on datagram sockets as well.
        if self._raw or sys.platform == "darwin":
            packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
        end = _HEADER.size + _TOKEN_BYTES
        if len(packet) < end + _INDEX.size or packet[0] != _ECHO_REPLY:
            return None
        if packet[_HEADER.size : end] != self._token:
            return None
        (index,) = _INDEX.unpack_from(packet, end)
        if index < len(self._targets) and self._targets[index] == address:
            return int(index)
        return None


def _replies_of(identifier: int) -> tuple[Step, ...]:
    """Return a filter that keeps echo replies of ``identifier`` only.

    Otherwise hundreds of sweeps at once would fill each other's receive buffers.
    """
    return (
        (0xB1, 0, 0, 0),  # X = length of the IP header
        (0x50, 0, 0, 0),  # A = ICMP type
        (0x15, 0, 3, _ECHO_REPLY),  # not a reply: drop
        (0x48, 0, 0, 4),  # A = identifier
        (0x15, 0, 1, identifier),  # another's: drop
        (0x06, 0, 0, 0xFFFF),  # keep
        (0x06, 0, 0, 0),  # drop
    )

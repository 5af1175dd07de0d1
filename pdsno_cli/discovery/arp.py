"""ARP (RFC 826): the MAC of every target that is on a link of this machine.

ARP does not reach a target behind a router, or on loopback. Requests are one prebuilt frame with
addresses patched in; tests compare it, and the reading of replies, with scapy.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from pdsno_cli.discovery.kernel_filter import Step
from pdsno_cli.discovery.mac import format_mac, is_group
from pdsno_cli.discovery.pace import by_index
from pdsno_cli.discovery.packet_socket import open_packet_socket
from pdsno_cli.discovery.probe import (
    Answers,
    Probe,
    ProbeRequest,
    ProbeUnavailableError,
)
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import FULL
from pdsno_cli.model.probes import FACTS, SHARED

if TYPE_CHECKING:
    import threading
    from collections.abc import Container, Iterator, Mapping

    from pdsno_cli.discovery.onlink import Link
    from pdsno_cli.discovery.progress import Progress
    from pdsno_cli.model.targets import AddressSet

RATE = FACTS["arp"].rate  # requests a second
TRIES = FACTS["arp"].tries
TIMEOUT = FACTS["arp"].timeout  # seconds to wait for the answer of one try, at most
FLOOR = FACTS["arp"].floor  # and at least

_ETH_P_ARP = 0x0806
_REQUEST, _REPLY = 1, 2  # operations
# The kinds and lengths of the addresses (Ethernet, IPv4), then the operation.
_HEAD = struct.Struct("!HHBBH")
_REPLY_HEAD = _HEAD.pack(1, 0x0800, 6, 4, _REPLY)
# Where an Ethernet frame has them: operation, sender's MAC, sender's and target's address.
_OPERATION, _SENDER_MAC, _SENDER, _TARGET = 20, 22, 28, 38
_FRAME_BYTES = 42


class ArpProbe:
    """Implements ``Probe``."""

    def preload(self) -> None:
        """Do nothing: this module imports no library."""

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the MAC of every answering target that is on a link."""
        facts, pace = FACTS["arp"], request.pace
        found = sweep(
            request.interfaces,
            request.cancel,
            rate=pace.rate_of(facts),
            timeout=pace.ceiling_of(facts),
            floor=pace.floor_of(facts),
            patient=pace.patient(facts),
            progress=request.progress,
            conflicts=request.findings.conflicts,
        )
        return {
            address: {SHARED: "a virtual MAC"} if mac is None else {"mac": mac}
            for address, mac in found.items()
        }


PROBE: Probe = ArpProbe()


def sweep(
    interfaces: Mapping[str, Link],
    cancel: threading.Event,
    *,
    rate: float = RATE,
    tries: int = TRIES,
    timeout: float = TIMEOUT,
    floor: float | None = FLOOR,
    patient: Container[str] | None = None,
    progress: Progress | None = None,
    conflicts: dict[str, set[str]] | None = None,
) -> dict[str, str | None]:
    """Return every answering target of ``interfaces``, as ``onlink.on_link`` returns them.

    With its MAC, or None where that is one that several devices share. The MACs of an address that
    several claim are added to ``conflicts``; the first to answer counts. ``floor``, ``patient``
    (addresses) and ``progress`` are those of ``request_all``. Raises ProbeUnavailableError when no interface could
    be used to the end. One interface after another.
    """
    found: dict[str, str | None] = {}
    reasons = []
    for interface, link in interfaces.items():
        try:
            sock = open_link(interface, link.targets)
        except ProbeUnavailableError as exc:
            reasons.append(str(exc))
            continue
        with sock:
            requests = Requests(sock, sock.getsockname()[4], link)
            try:
                request_all(
                    requests,
                    range(len(link.targets)),
                    rate=rate,
                    tries=tries,
                    timeout=timeout,
                    cancel=cancel,
                    floor=floor,
                    patient=by_index(link.targets, patient),
                    progress=progress,
                )
            except OSError as exc:  # the link went down in mid-sweep
                reasons.append(f"{interface}: {exc.strerror}")
        found.update(requests.macs)
        if conflicts is not None:
            conflicts.update(requests.conflicts)
    if reasons and len(reasons) == len(interfaces):
        raise ProbeUnavailableError("; ".join(sorted(set(reasons))))
    return found


def replies_of(first: int, last: int) -> tuple[Step, ...]:
    """Return a filter that keeps replies from the addresses between ``first`` and ``last``.

    Neither the requests of a busy link, nor the replies to sweeps of other prefixes, wake this one.
    """
    return (
        (0x28, 0, 0, _OPERATION),  # A = operation
        (0x15, 0, 4, _REPLY),  # another: drop
        (0x20, 0, 0, _SENDER),  # A = the sender's address
        (0x35, 0, 2, first),  # below: drop
        (0x25, 1, 0, last),  # above: drop
        (0x06, 0, 0, 0xFFFF),  # keep
        (0x06, 0, 0, 0),  # drop
    )


def open_link(interface: str, targets: AddressSet) -> socket.socket:
    """Return a non-blocking socket that receives ARP replies of targets, and little else.

    Raises ProbeUnavailableError.
    """
    program = replies_of(targets.ranges[0].first, targets.ranges[-1].last)
    return open_packet_socket("arp", interface, _ETH_P_ARP, program)


class Requests:
    """Implements ``ProbeSocket``: one broadcast request per target, sent from a prebuilt frame."""

    def __init__(self, sock: socket.socket, hardware: bytes, link: Link) -> None:
        self._sock = sock
        self._link = link
        self._source: bytes | None = None
        if len(link.sources) == 1:
            self._source = socket.inet_aton(link.sources[0][1])
        ethernet = b"\xff" * 6 + hardware + _ETH_P_ARP.to_bytes(2, "big")
        head = _HEAD.pack(1, 0x0800, 6, 4, _REQUEST)
        self._frame = bytearray(ethernet + head + hardware + bytes(4 + 6 + 4))
        self.macs: dict[str, str | None] = {}
        self.conflicts: dict[str, set[str]] = {}

    def filenos(self) -> list[int]:
        """Return the descriptor of the socket."""
        return [self._sock.fileno()]

    def send(self, index: int) -> bool:
        """Send the request to a target; BlockingIOError if the queue of the interface is full."""
        try:
            self._sock.send(self.frame(index))
        except OSError as exc:
            if exc.errno in FULL:
                raise BlockingIOError(exc.errno, exc.strerror) from exc
            raise
        return True

    def frame(self, index: int) -> bytearray:
        """Return the request to a target; the next call overwrites it."""
        number = self._link.targets.number(index)
        frame = self._frame
        frame[_SENDER : _SENDER + 4] = self._source or socket.inet_aton(self._link.source(number))
        frame[_TARGET : _TARGET + 4] = number.to_bytes(4, "big")
        return frame

    def receive(self) -> Iterator[int | None]:
        """Accept what has arrived; yield each target that has answered, None for anything else."""
        while True:
            try:
                frame = self._sock.recv(2048)
            except BlockingIOError:
                return
            yield self.accept(frame)

    def accept(self, frame: bytes) -> int | None:
        """Store the MAC of a target from its first answer; return the target, or None for junk."""
        if len(frame) < _FRAME_BYTES or frame[14 : _OPERATION + 2] != _REPLY_HEAD:
            return None
        index = self._link.targets.index_of(int.from_bytes(frame[_SENDER : _SENDER + 4], "big"))
        hardware = frame[_SENDER_MAC:_SENDER]
        if index is None or not any(hardware) or is_group(hardware):
            return None
        # A MAC that several share identifies no device, but its address is in use.
        address, mac = self._link.targets[index], format_mac(hardware)
        first = self.macs.setdefault(address, mac)
        if mac is not None and first is not None and mac != first:
            self.conflicts.setdefault(address, {first}).add(mac)
        return index

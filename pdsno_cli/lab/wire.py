"""A lab in a network namespace: hosts on one Ethernet link, with a MAC each.

One thread answers what arrives at the link's far end, by ``frames``: the namespace has no addresses, so
that a device costs nothing before it is asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import selectors
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.lab import frames, frames6
from pdsno_cli.lab.frames import Host
from pdsno_cli.lab.lldp_frame import INTERVAL, lldp_frame
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.targets import AddressRange, AddressSet
from pdsno_cli.system.private_link import PrivateLink, PrivateLinkError

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.plan import LabDevice

_FRAME_BYTES = 9216
_OWN = "0.0.0.1"  # the end of this machine's IPv6 address, which no device has
_BURST = 256  # frames answered before others have their turn


class Wire:
    """Implements ``Medium``. ``name`` is the topology's; ``ranges`` are first and last addresses of targets.

    With a prefix for ``ipv6``, a /64, each host has an address in it, too.
    """

    mode = "namespace"

    def __init__(
        self, name: str, ranges: Iterable[tuple[int, int]], *, ipv6: str | None = None
    ) -> None:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        self._link = PrivateLink(f"pdsno-{digest}")
        self._prefixes = prefixes(ranges)
        self._reach = _addresses(self._prefixes)
        self._hosts: dict[bytes, Host] = {}
        self.ipv6 = ipv6
        self._hosts6: dict[bytes, Host] = {}
        self._sockets: list[socket.socket] = []
        self._announce_at = 0.0  # monotonic

    def open(
        self, selector: selectors.BaseSelector, devices: Iterable[LabDevice]
    ) -> list[LabDevice]:
        """Make the link and its routes."""
        try:
            _require_unrouted(self._prefixes, own=self._link.name)
            self._link.open(self._prefixes)
            for protocol in (frames.ETH_ARP, frames.ETH_IPV4):
                sock = self._link.packet_socket(protocol)
                self._sockets.append(sock)
                selector.register(sock, selectors.EVENT_READ, lambda sock=sock: self._answer(sock))
            if self.ipv6 is not None:
                self._link.add_address(frames6.address_of(self.ipv6, _OWN) + "/64")
                six = self._link.packet_socket(frames6.ETH_IPV6)
                self._sockets.append(six)
                selector.register(six, selectors.EVENT_READ, lambda: self._answer6(six))
        except (PrivateLinkError, OSError) as exc:
            raise LabError(f"cannot make the lab's network: {exc}") from exc
        return list(devices)

    def start(self, device: LabDevice, agent: Agent | None) -> None:
        """Put a host on the wire; LabError if no route of the lab leads to it."""
        if device.address not in self._reach:
            raise LabError(
                f"{device.address} is outside of the lab's network, {', '.join(self._prefixes)}"
            )
        address = ipaddress.IPv4Address(device.address).packed
        host = Host(
            mac=bytes.fromhex(device.mac.replace(":", "")),
            address=address,
            echo=device.icmp,
            port=device.port,
            answer=None if agent is None else agent.answer,
        )
        self._hosts[address] = host
        if self.ipv6 is not None:
            own = self._packed6(device.address)
            self._hosts6[own] = replace(host, address=own)

    def stop(self, address: str) -> None:
        """Take a host off the wire."""
        self._hosts.pop(ipaddress.IPv4Address(address).packed, None)
        if self.ipv6 is not None:
            self._hosts6.pop(self._packed6(address), None)

    def _packed6(self, address: str) -> bytes:
        assert self.ipv6 is not None  # asked only then
        return ipaddress.IPv6Address(frames6.address_of(self.ipv6, address)).packed

    def silence(self, address: str) -> str | None:
        """Do nothing: a host that is off the wire answers nothing."""
        return None

    def restore(self, address: str) -> None:
        """Do nothing, as ``silence``."""

    def replan(self, devices: Iterable[LabDevice], ranges: Iterable[tuple[int, int]]) -> None:
        """Change the routes into those of the ranges."""
        wanted = prefixes(ranges)
        _require_unrouted(wanted, own=self._link.name)
        for prefix in set(self._prefixes) - set(wanted):
            self._link.unroute(prefix)
        try:
            for prefix in set(wanted) - set(self._prefixes):
                self._link.route(prefix)
        except PrivateLinkError as exc:
            raise LabError(f"cannot change the lab's network: {exc}") from exc
        finally:
            self._prefixes, self._reach = wanted, _addresses(wanted)

    def tick(self, devices: Iterable[LabDevice]) -> None:
        """Announce the first device that speaks LLDP, as the switch at the end of a cable does."""
        now = time.monotonic()
        if now < self._announce_at or not self._sockets:
            return
        self._announce_at = now + INTERVAL
        frame = next((found for item in devices if item.snmp and (found := lldp_frame(item))), None)
        if frame is not None:
            with contextlib.suppress(OSError):
                self._sockets[0].send(frame)

    def close(self) -> None:
        """Remove sockets, link and namespace."""
        self._hosts.clear()
        self._hosts6.clear()
        while self._sockets:
            self._sockets.pop().close()
        self._link.close()

    def _answer(self, sock: socket.socket) -> None:
        """Answer the frames waiting on one socket. Runs on the serving thread."""
        hosts = self._hosts
        for _ in range(_BURST):
            try:
                reply = frames.answer(sock.recv(_FRAME_BYTES), hosts)
            except OSError:  # nothing more, or closed meanwhile
                return
            if reply is not None:
                with contextlib.suppress(OSError):  # the near end's queue is full, as on any wire
                    sock.send(reply)

    def _answer6(self, sock: socket.socket) -> None:
        """Answer the IPv6 frames waiting on a socket. Runs on the serving thread."""
        for _ in range(_BURST):
            try:
                frame = sock.recv(_FRAME_BYTES)
            except OSError:  # nothing more, or closed meanwhile
                return
            for reply in frames6.answers(frame, self._hosts6):
                with contextlib.suppress(OSError):  # the near end's queue is full
                    sock.send(reply)


def _addresses(found: Iterable[str]) -> AddressSet:
    nets = map(ipaddress.IPv4Network, found)
    return AddressSet(AddressRange(int(net[0]), int(net[-1])) for net in nets)


def prefixes(ranges: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """Return the least prefixes that cover each range with one, without those within another."""
    found = {ipaddress.IPv4Network(_covering(first, last)) for first, last in ranges}
    return tuple(str(net) for net in ipaddress.collapse_addresses(sorted(found)))


def _covering(first: int, last: int) -> tuple[int, int]:
    length = 32 - (first ^ last).bit_length()
    return first >> 32 - length << 32 - length, length


def _require_unrouted(wanted: Sequence[str], *, own: str) -> None:
    """Raise LabError if this machine routes an address of the prefixes elsewhere than by default."""
    try:
        lines = Path("/proc/net/route").read_text("utf-8").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        interface, destination, _, _, _, _, _, mask, *_ = line.split()
        octets = (int(text, 16).to_bytes(4, sys.byteorder) for text in (destination, mask))
        number, bits = (int.from_bytes(item, "big") for item in octets)
        if interface == own or not bits:
            continue
        routed = ipaddress.IPv4Network((number, bits.bit_count()))
        for prefix in wanted:
            if routed.overlaps(ipaddress.IPv4Network(prefix)):
                raise LabError(
                    f"the lab's {prefix} overlaps {routed}, which is routed by {interface} on this "
                    "machine: choose other targets"
                )

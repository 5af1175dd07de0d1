"""A lab on loopback: one UDP socket per device with SNMP; the kernel answers ICMP."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import LabError
from pdsno_cli.system import local_routes
from pdsno_cli.system.open_files import allow_open_files

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.plan import LabDevice

_DATAGRAM_BYTES = 65_535
_SPARE_FILES = 256  # beside the agents: standard streams, libraries, clients
_OFF: local_routes.Kind = "prohibit"  # else the kernel answers ICMP for a removed device
_BURST = 64  # datagrams served from one socket before the next


class Loopback:
    """Implements ``Medium``."""

    mode = "loopback"
    ipv6 = None

    def __init__(self) -> None:
        self._selector: selectors.BaseSelector | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._silenced: set[str] = set()
        self._left: frozenset[str] = frozenset()

    def open(
        self, selector: selectors.BaseSelector, devices: Iterable[LabDevice]
    ) -> list[LabDevice]:
        """Return the devices with those last that a killed lab left silenced.

        If another lab of these addresses runs, binding its other ports fails before any is unblocked.
        """
        order = list(devices)
        self.replan(order)
        self._selector = selector
        self._left = local_routes.blocked(_OFF)
        return sorted(order, key=lambda item: item.address in self._left)

    def start(self, device: LabDevice, agent: Agent | None) -> None:
        """Bind the agent."""
        if device.address in self._left:
            local_routes.unblock(_OFF, device.address)
        if agent is None:
            return
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((device.address, device.port))
        except OSError as exc:
            sock.close()
            place = f"{device.address} port {device.port}"
            if exc.errno == errno.EADDRINUSE:
                raise LabError(f"UDP {place} is in use: does this lab run already?") from exc
            raise LabError(f"cannot serve a lab device on UDP {place}: {exc.strerror}") from exc
        self._sockets[device.address] = sock
        if self._selector is not None:
            self._selector.register(sock, selectors.EVENT_READ, lambda: _answer(sock, agent))

    def stop(self, address: str) -> None:
        """Unbind the agent."""
        sock = self._sockets.pop(address, None)
        if sock is not None:
            if self._selector is not None:
                self._selector.unregister(sock)
            sock.close()

    def silence(self, address: str) -> str | None:
        """Have the kernel answer no ICMP for an address, which takes CAP_NET_ADMIN."""
        reason = local_routes.block(_OFF, address)
        if reason is None:
            self._silenced.add(address)
            return None
        return f"the kernel still answers ICMP for it: {reason}"

    def restore(self, address: str) -> None:
        """Have the kernel answer again."""
        if address in self._silenced:
            local_routes.unblock(_OFF, address)
            self._silenced.discard(address)

    def replan(self, devices: Iterable[LabDevice], ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Allow a socket for each agent."""
        allow_open_files(_SPARE_FILES + sum(device.snmp for device in devices))

    def tick(self, devices: Iterable[LabDevice]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Unbind every agent and undo every ``silence``."""
        for address in tuple(self._sockets):
            self.stop(address)
        for address in tuple(self._silenced):
            self.restore(address)
        self._selector = None


def _answer(sock: socket.socket, agent: Agent) -> None:
    """Answer the requests waiting on one socket. Runs on the serving thread."""
    for _ in range(_BURST):
        try:
            data, peer = sock.recvfrom(_DATAGRAM_BYTES)
        except OSError:  # nothing more, or removed meanwhile
            return
        reply = agent.answer(data)
        if reply is not None:
            with contextlib.suppress(OSError):
                sock.sendto(reply, peer)

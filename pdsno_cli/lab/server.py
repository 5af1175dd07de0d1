"""Serves a lab on loopback: one UDP socket per device with SNMP, all on one thread.

``serve`` runs on one thread; ``remove``, ``add`` and ``rename`` may be called from any other.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import added_device
from pdsno_cli.model.errors import LabError
from pdsno_cli.system import local_routes
from pdsno_cli.system.open_files import allow_open_files

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.mib import Mibs
    from pdsno_cli.lab.plan import LabDevice

_STOP_POLL = 0.2  # seconds between two checks of a stop Event
_DATAGRAM_BYTES = 65_535
_SPARE_FILES = 256  # beside the agents: standard streams, libraries, clients
_OFF: local_routes.Kind = "prohibit"  # else the kernel answers ICMP for a removed device
_BURST = 64  # datagrams served from one socket before the next


class Lab:
    """The devices of a lab and their sockets. Open it, serve it, close it."""

    def __init__(self, devices: Iterable[LabDevice]) -> None:
        self._devices = {device.address: device for device in devices}
        self._planned = dict(self._devices)  # with every device that was ever there
        self._network = Network(self._devices.values())
        self._mibs: Mibs | None = None  # with the first agent
        self._agents: dict[str, tuple[socket.socket, Agent]] = {}
        self._blocked: set[str] = set()
        self._selector: selectors.BaseSelector | None = None  # while open
        self._lock = threading.RLock()  # guards all of the above

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def model(self, address: str) -> LabDevice:
        """Return the device to ``add`` at an address: the one removed from there, or a new one.

        A new one has port and community of the device nearest to it. Raises LabError for an
        invalid address.
        """
        with self._lock:
            if address in self._planned:
                return self._planned[address]
            try:
                place = int(ipaddress.IPv4Address(address))
            except ValueError as exc:
                raise LabError(f"invalid IPv4 address {address!r}") from exc
            like = min(
                self._planned.values(),
                key=lambda item: abs(int(ipaddress.IPv4Address(item.address)) - place),
                default=None,
            )
            if like is None:
                raise LabError("the lab has no device to copy port and community from")
            return added_device(len(self._planned), address, like)

    @property
    def devices(self) -> tuple[LabDevice, ...]:
        """The devices that are present now."""
        with self._lock:
            return tuple(self._devices.values())

    def open(self) -> None:
        """Bind every agent; raises LabError, and unbinds all, if one cannot be bound."""
        with self._lock:
            allow_open_files(_SPARE_FILES + sum(device.snmp for device in self._devices.values()))
            left = local_routes.blocked(_OFF)
            self._selector = selectors.DefaultSelector()
            try:
                # Blocked addresses come last: if another lab of these addresses runs, binding its
                # other ports fails before this one unblocks any.
                for device in sorted(self._devices.values(), key=lambda item: item.address in left):
                    if device.address in left:
                        local_routes.unblock(_OFF, device.address)
                    self._start(device)
            except LabError:
                self.close()
                raise

    def close(self) -> None:
        """Unbind every agent and unblock every address; harmless when repeated."""
        with self._lock:
            for address in tuple(self._agents):
                self._end(address)
            for address in tuple(self._blocked):
                self._restore(address)
            if self._selector is not None:
                selector, self._selector = self._selector, None
                selector.close()

    def serve(
        self,
        stop: threading.Event | int,
        *,
        others: Iterable[tuple[socket.socket, Callable[[], None]]] = (),
    ) -> None:
        """Answer requests until ``stop`` is set, or, as a descriptor, becomes readable.

        ``others`` are further sockets to watch, each with a callback for when it is readable.
        """
        selector = self._selector
        assert selector is not None  # serve requires open
        event = stop if isinstance(stop, threading.Event) else threading.Event()
        watched: list[tuple[socket.socket | int, Callable[[], None]]] = list(others)
        if not isinstance(stop, threading.Event):
            watched.append((stop, event.set))
        for source, work in watched:
            selector.register(source, selectors.EVENT_READ, work)
        while not event.is_set():
            try:
                ready = selector.select(_STOP_POLL)
            except (OSError, ValueError):
                if self._selector is selector:
                    raise
                return  # closed from another thread
            for key, _ in ready:
                key.data()
        with self._lock:
            for source, _ in watched if self._selector is selector else ():
                selector.unregister(source)

    def remove(self, address: str) -> str:
        """Remove a device; return the result as one sentence.

        Raises LabError if there is no device. Without CAP_NET_ADMIN the kernel still answers ICMP.
        """
        with self._lock:
            device = self._devices.pop(address, None)
            if device is None:
                raise LabError(f"the lab has no device at {address}")
            self._end(address)
            self._changed()
            reason = local_routes.block(_OFF, address)
            if reason is None:
                self._blocked.add(address)
                return f"{address} ({device.sys_name}) is removed"
            return (
                f"{address} ({device.sys_name}) no longer answers SNMP, "
                f"but the kernel still answers ICMP for it: {reason}"
            )

    def add(self, device: LabDevice) -> str:
        """Add a device; raises LabError if its address is taken."""
        with self._lock:
            if device.address in self._devices:
                raise LabError(f"the lab already has a device at {device.address}")
            self._restore(device.address)
            self._start(device)
            self._devices[device.address] = self._planned[device.address] = device
            self._changed()
            return f"{device.address} ({device.sys_name}) is added"

    def rename(self, address: str, sys_name: str) -> str:
        """Change the sysName of a device; raises LabError if there is no device with SNMP."""
        with self._lock:
            if address not in self._agents:
                raise LabError(f"the lab has no device with SNMP at {address}")
            device = replace(self._devices[address], sys_name=sys_name)
            self._devices[address] = device
            self._agents[address][1].change(device)
            self._changed()
            return f"{address} is now {sys_name}"

    def replan(self, devices: Iterable[LabDevice]) -> str:
        """Change the lab into one of these devices; those that stay are left as they are now.

        Raises LabError, with the rest done, if an agent cannot be bound.
        """
        with self._lock:
            wanted = {device.address: device for device in devices}
            before, self._planned = self._planned, wanted
            for address in before.keys() - wanted.keys():
                self._devices.pop(address, None)
                self._end(address)
                self._restore(address)
            changed = [item for item in wanted.values() if before.get(item.address) != item]
            allow_open_files(_SPARE_FILES + sum(device.snmp for device in wanted.values()))
            for device in changed:
                self._end(device.address)
                self._restore(device.address)
                self._devices[device.address] = device
                self._start(device)
            self._changed()
            return f"the lab has {len(self._devices)} devices"

    def _start(self, device: LabDevice) -> None:
        if not device.snmp:
            return
        from pdsno_cli.lab.agent import Agent
        from pdsno_cli.lab.mib import Mibs

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
        if self._mibs is None:
            self._mibs = Mibs(self._network)
        agent = Agent(device, self._mibs)
        self._agents[device.address] = (sock, agent)
        if self._selector is not None:
            self._selector.register(sock, selectors.EVENT_READ, lambda: self._answer(sock, agent))

    def _changed(self) -> None:
        self._network.change(self._devices, self._planned)

    def _end(self, address: str) -> None:
        found = self._agents.pop(address, None)
        if found is not None:
            if self._selector is not None:
                self._selector.unregister(found[0])
            found[0].close()

    def _restore(self, address: str) -> None:
        if address in self._blocked:
            local_routes.unblock(_OFF, address)
            self._blocked.discard(address)

    def _answer(self, sock: socket.socket, agent: Agent) -> None:
        """Answer the requests waiting on one socket. Runs on the serving thread."""
        with self._lock:
            for _ in range(_BURST):
                try:
                    data, peer = sock.recvfrom(_DATAGRAM_BYTES)
                except OSError:  # nothing more, or removed meanwhile
                    return
                reply = agent.answer(data)
                if reply is not None:
                    with contextlib.suppress(OSError):
                        sock.sendto(reply, peer)

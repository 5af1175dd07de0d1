"""Serves a lab on loopback: one UDP socket a device with SNMP, all in one process and one loop.

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

from pdsno_cli.lab.plan import make_device
from pdsno_cli.model.errors import LabError
from pdsno_cli.system import local_routes

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.plan import LabDevice

_STOP_POLL = 0.2  # seconds; how late a stop Event is noticed
_DATAGRAM_BYTES = 65_535
_SPARE_FILES = 256  # beside the agents: standard streams, libraries, clients
_SILENCE: local_routes.Kind = "prohibit"  # a switched-off device: the kernel answers for it else
_BURST = 64  # datagrams served from one socket before the others get their turn


class Lab:
    """The devices of a lab and their sockets. Open it, serve it, close it."""

    def __init__(self, devices: Iterable[LabDevice]) -> None:
        self._devices = {device.address: device for device in devices}
        self._planned = dict(self._devices)  # with every device that was ever there
        self._agents: dict[str, tuple[socket.socket, Agent]] = {}
        self._silenced: set[str] = set()
        self._selector: selectors.BaseSelector | None = None  # while open
        self._lock = threading.RLock()  # guards all of the above

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def model(self, address: str) -> LabDevice:
        """Return the device to ``add`` at an address: the one that was there, or a new one.

        A new one has port and community of the device nearest to it. LabError for no address.
        """
        with self._lock:
            if address in self._planned:
                return self._planned[address]
            try:
                place = int(ipaddress.IPv4Address(address))
            except ValueError as exc:
                raise LabError(f"{address!r} is no IPv4 address") from exc
            like = min(
                self._planned.values(),
                key=lambda item: abs(int(ipaddress.IPv4Address(item.address)) - place),
                default=None,
            )
            if like is None:
                raise LabError("the lab has no device to take port and community from")
            number = len(self._planned)
            return make_device(number, address, port=like.port, community=like.community)

    @property
    def devices(self) -> tuple[LabDevice, ...]:
        """The devices that are present now."""
        with self._lock:
            return tuple(self._devices.values())

    def open(self) -> None:
        """Bind every agent; LabError, and nothing stays bound, when one cannot be."""
        with self._lock:
            _raise_file_limit(sum(device.snmp for device in self._devices.values()))
            left = local_routes.taken_away(_SILENCE)
            self._selector = selectors.DefaultSelector()
            try:
                # What was left silenced comes last: if a lab of these addresses runs already, its
                # other ports stop us before we undo what it silenced.
                for device in sorted(self._devices.values(), key=lambda item: item.address in left):
                    if device.address in left:
                        local_routes.give_back(_SILENCE, device.address)
                    self._start(device)
            except LabError:
                self.close()
                raise

    def close(self) -> None:
        """Unbind everything and undo every silence; harmless when repeated."""
        with self._lock:
            for address in tuple(self._agents):
                self._end(address)
            for address in tuple(self._silenced):
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

        ``others`` are further sockets to watch, each with what to call when it is readable.
        """
        selector = self._selector
        assert selector is not None  # serve what is open
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
        """Take a device away; return one sentence on what became of it.

        LabError when no device is there. Without CAP_NET_ADMIN the kernel still answers ICMP.
        """
        with self._lock:
            device = self._devices.pop(address, None)
            if device is None:
                raise LabError(f"the lab has no device at {address}")
            self._end(address)
            reason = local_routes.take_away(_SILENCE, address)
            if reason is None:
                self._silenced.add(address)
                return f"{address} ({device.sys_name}) is gone"
            return (
                f"{address} ({device.sys_name}) no longer speaks SNMP, "
                f"but the kernel still answers ICMP for it: {reason}"
            )

    def add(self, device: LabDevice) -> str:
        """Put a device in place; LabError when its address is taken."""
        with self._lock:
            if device.address in self._devices:
                raise LabError(f"the lab already has a device at {device.address}")
            self._restore(device.address)
            self._start(device)
            self._devices[device.address] = self._planned[device.address] = device
            return f"{device.address} ({device.sys_name}) is there"

    def rename(self, address: str, sys_name: str) -> str:
        """Change the sysName of a device; LabError when no device with SNMP is there."""
        with self._lock:
            if address not in self._agents:
                raise LabError(f"the lab has no device with SNMP at {address}")
            device = replace(self._devices[address], sys_name=sys_name)
            self._devices[address] = device
            self._agents[address][1].change(device)
            return f"{address} is now {sys_name}"

    def _start(self, device: LabDevice) -> None:
        if not device.snmp:
            return
        from pdsno_cli.lab.agent import Agent

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
        agent = Agent(device)
        self._agents[device.address] = (sock, agent)
        if self._selector is not None:
            self._selector.register(sock, selectors.EVENT_READ, lambda: self._answer(sock, agent))

    def _end(self, address: str) -> None:
        found = self._agents.pop(address, None)
        if found is not None:
            if self._selector is not None:
                self._selector.unregister(found[0])
            found[0].close()

    def _restore(self, address: str) -> None:
        if address in self._silenced:
            local_routes.give_back(_SILENCE, address)
            self._silenced.discard(address)

    def _answer(self, sock: socket.socket, agent: Agent) -> None:
        """Answer what waits on one socket. Runs on the serving thread."""
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


def _raise_file_limit(sockets: int) -> None:
    """Let this process open a socket per device, as far as the machine allows."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + _SPARE_FILES
    if wanted > soft:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

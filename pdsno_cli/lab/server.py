"""Serves a lab: its devices, what carries them, and their changes, all on one thread.

``serve`` runs on one thread; ``remove``, ``add`` and ``rename`` may be called from any other.
"""

from __future__ import annotations

import ipaddress
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pdsno_cli.lab.loopback import Loopback
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import added_device
from pdsno_cli.model.errors import LabError

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.medium import Medium
    from pdsno_cli.lab.mib import Mibs
    from pdsno_cli.lab.plan import LabDevice

_STOP_POLL = 0.2  # seconds between two checks of a stop Event


class Lab:
    """The devices of a lab. Open it, serve it, close it."""

    def __init__(self, devices: Iterable[LabDevice], medium: Medium | None = None) -> None:
        self._medium = medium or Loopback()
        self._devices = {device.address: device for device in devices}
        self._planned = dict(self._devices)  # with every device that was ever there
        self._network = Network(self._devices.values())
        self._mibs: Mibs | None = None  # with the first agent
        self._agents: dict[str, Agent] = {}
        self._selector: selectors.BaseSelector | None = None  # while open
        self._lock = threading.RLock()  # guards all of the above

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def mode(self) -> str:
        """The kind of lab, as in the topology file."""
        return self._medium.mode

    @property
    def ipv6(self) -> str | None:
        """The prefix in which its devices have further addresses, None if they have none."""
        return self._medium.ipv6

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
        """Start every device; raises LabError, and ends all, if one cannot be started."""
        with self._lock:
            self._selector = selectors.DefaultSelector()
            try:
                for device in self._medium.open(self._selector, self._devices.values()):
                    self._start(device)
            except LabError:
                self.close()
                raise

    def close(self) -> None:
        """End every device; harmless when repeated."""
        with self._lock:
            self._medium.close()
            self._agents.clear()
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
            with self._lock:
                if self._selector is selector:
                    self._medium.tick(self._devices.values())
            for key, _ in ready:
                # A change asks for the lock itself; answers must not meet one half done.
                with self._lock:
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
            reason = self._medium.silence(address)
            if reason is None:
                return f"{address} ({device.sys_name}) is removed"
            return f"{address} ({device.sys_name}) no longer answers SNMP, but {reason}"

    def add(self, device: LabDevice) -> str:
        """Add a device; raises LabError if its address is taken."""
        with self._lock:
            if device.address in self._devices:
                raise LabError(f"the lab already has a device at {device.address}")
            self._medium.restore(device.address)
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
            self._agents[address].change(device)
            self._changed()
            return f"{address} is now {sys_name}"

    def replan(self, devices: Iterable[LabDevice], ranges: Iterable[tuple[int, int]] = ()) -> str:
        """Change the lab into one of these devices; those that stay are left as they are now.

        ``ranges`` are first and last addresses of its targets. Raises LabError, with the rest done, if
        an agent cannot be bound.
        """
        with self._lock:
            wanted = {device.address: device for device in devices}
            before, self._planned = self._planned, wanted
            for address in before.keys() - wanted.keys():
                self._devices.pop(address, None)
                self._end(address)
                self._medium.restore(address)
            changed = [item for item in wanted.values() if before.get(item.address) != item]
            self._medium.replan(wanted.values(), ranges)
            for device in changed:
                self._end(device.address)
                self._medium.restore(device.address)
                self._devices[device.address] = device
                self._start(device)
            self._changed()
            return f"the lab has {len(self._devices)} devices"

    def _start(self, device: LabDevice) -> None:
        agent = None
        if device.snmp:
            from pdsno_cli.lab.agent import Agent
            from pdsno_cli.lab.mib import Mibs

            if self._mibs is None:
                self._mibs = Mibs(self._network)
            agent = Agent(device, self._mibs)
        self._medium.start(device, agent)
        if agent is not None:
            self._agents[device.address] = agent

    def _changed(self) -> None:
        self._network.change(self._devices, self._planned)

    def _end(self, address: str) -> None:
        self._agents.pop(address, None)
        self._medium.stop(address)

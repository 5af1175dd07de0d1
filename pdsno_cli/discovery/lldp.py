"""Listens on links for devices that announce themselves by LLDP or CDP; sends nothing.

Devices announce themselves twice a minute, so a thread listens from the first sweep on, and each sweep
returns what was heard and has not expired.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from pdsno_cli.discovery import onlink, onlink6
from pdsno_cli.discovery.announcements import (
    CDP_GROUP,
    LLDP_GROUPS,
    LLDP_TYPE,
    load_scapy,
    read_frame,
)
from pdsno_cli.discovery.packet_socket import open_packet_socket
from pdsno_cli.discovery.probe import (
    Answers,
    Fields,
    Probe,
    ProbeRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.discovery.announcements import Announcement
    from pdsno_cli.discovery.kernel_filter import Step

MAX_HEARD = 4096  # announcements that are remembered; the oldest are forgotten first

_ETH_P_ALL = 3
_FRAME_BYTES = 2048
_POLL = 1000  # milliseconds until new links are watched

# Keeps LLDP by its type, and CDP by its group address.
_FILTER: tuple[Step, ...] = (
    (0x28, 0, 0, 12),  # A = type
    (0x15, 4, 0, LLDP_TYPE),  # LLDP: keep
    (0x20, 0, 0, 0),  # A = the first four bytes of the destination
    (0x15, 0, 3, int.from_bytes(CDP_GROUP[:4], "big")),
    (0x28, 0, 0, 4),  # A = its last two
    (0x15, 0, 1, int.from_bytes(CDP_GROUP[4:], "big")),
    (0x06, 0, 0, 0xFFFF),  # keep
    (0x06, 0, 0, 0),  # drop
)


class LldpProbe:
    """Implements ``Probe``; listens on a thread of its own for as long as the process lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: dict[str, socket.socket] = {}
        self._heard: OrderedDict[tuple[str, str, str], tuple[float, Announcement]] = OrderedDict()
        self._thread: threading.Thread | None = None

    def preload(self) -> None:
        """Import scapy."""
        load_scapy()

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return what the devices with target addresses announced; immediately."""
        self._watch((*onlink.on_link(request.targets), *onlink6.interfaces_of(request.targets)))
        now = time.monotonic()
        found: dict[str, Fields] = {}
        with self._lock:
            for key in [key for key, (until, _) in self._heard.items() if until <= now]:
                del self._heard[key]
            heard = [(key[0], item) for key, (_, item) in self._heard.items()]
        for interface, item in heard:
            for address in item.addresses:
                if address in request.targets:
                    found[address] = _fields(interface, item)
        return found

    def _watch(self, interfaces: Iterable[str]) -> None:
        """Listen on these interfaces, too; raises ProbeUnavailableError."""
        with self._lock:
            for name in interfaces:
                if name not in self._sockets:
                    self._sockets[name] = _open(name)
            if self._sockets and self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="lldp", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        """Keep what is announced; an interface that fails is opened again by the next sweep."""
        while True:
            with self._lock:
                watched = {sock.fileno(): (name, sock) for name, sock in self._sockets.items()}
            poller = select.poll()
            for descriptor in watched:
                poller.register(descriptor, select.POLLIN)
            for descriptor, _ in poller.poll(_POLL):
                name, sock = watched[descriptor]
                try:
                    frame = sock.recv(_FRAME_BYTES)
                except BlockingIOError:
                    continue
                except OSError:
                    with self._lock:
                        self._sockets.pop(name, None)
                    sock.close()
                    continue
                self._keep(name, frame)

    def _keep(self, interface: str, frame: bytes) -> None:
        item = read_frame(frame)
        if item is None:
            return
        key = interface, item.mac or item.name or "", item.port
        with self._lock:
            self._heard[key] = time.monotonic() + item.ttl, item  # 0: the device shuts down
            self._heard.move_to_end(key)
            while len(self._heard) > MAX_HEARD:
                self._heard.popitem(last=False)


PROBE: Probe = LldpProbe()


def _fields(interface: str, item: Announcement) -> dict[str, str | float]:
    fields = {
        "mac": item.mac,
        "sys_name": item.name,
        "sys_descr": item.description,
        "heard_on": interface,
        "heard_port": item.port,
    }
    return {name: value for name, value in fields.items() if value}


def _open(interface: str) -> socket.socket:
    """Return a socket that receives announcements; raises ProbeUnavailableError."""
    groups = (*LLDP_GROUPS, CDP_GROUP)
    return open_packet_socket("lldp", interface, _ETH_P_ALL, _FILTER, groups=groups)

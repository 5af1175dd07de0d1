"""The objects of a lab device's agent: its recording, IF-MIB, addresses, LLDP and bridge tables.

A device's objects are encoded when it is first asked, and kept for the devices asked last, so that a lab
of thousands takes no more memory than one of hundreds.
"""

from __future__ import annotations

import ipaddress
import logging
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pdsno_cli.lab import ber
from pdsno_cli.lab.ber import Oid, number, octets
from pdsno_cli.lab.bridge_objects import bridge_objects
from pdsno_cli.lab.lldp_objects import lldp_objects
from pdsno_cli.lab.models import chassis
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.others import read_objects
from pdsno_cli.lab.plan import LabDevice
from pdsno_cli.lab.recording import encode
from pdsno_cli.model.errors import LabError

log = logging.getLogger(__name__)

MAX_OBJECTS = 500_000  # of all devices that are kept; about 100 bytes each

_MIB_2: Oid = (1, 3, 6, 1, 2, 1)
_SYSTEM, _IF_ENTRY, _IF_X_ENTRY = (*_MIB_2, 1), (*_MIB_2, 2, 2, 1), (*_MIB_2, 31, 1, 1, 1)
_ADDRESSES: Oid = (*_MIB_2, 4, 20, 1)
SYS_UP_TIME, SYS_NAME = (*_SYSTEM, 3, 0), (*_SYSTEM, 5, 0)
_SERIAL_NUMBERS: Oid = (*_MIB_2, 47, 1, 1, 1, 1, 11)
_MAX_GAUGE = 2**32 - 1
_UP, _DOWN = 1, 2
_LOOPBACK = 24  # IANAifType
_DIGITS = 5  # of the device's number at the end of a serial number


@dataclass(frozen=True, slots=True)
class Running:
    """An object that grows with time: ``rate`` a second, wrapping at the size of its type."""

    tag: int
    rate: int

    def at(self, seconds: float) -> bytes:
        """Return its value so many seconds after the start."""
        bits = 64 if self.tag == ber.COUNTER64 else 32
        return number(int(seconds * self.rate) % 2**bits, self.tag)


Encoded = bytes | Running


@dataclass(frozen=True, slots=True)
class Mib:
    """The objects of one device in lexicographic order."""

    oids: tuple[Oid, ...]
    values: tuple[Encoded, ...]

    def find(self, oid: Oid) -> int | None:
        """Return the position of the object at ``oid``, or None."""
        index = bisect_right(self.oids, oid) - 1
        return index if index >= 0 and self.oids[index] == oid else None

    def after(self, oid: Oid) -> int | None:
        """Return the position of the object that follows ``oid``, or None at the end."""
        index = bisect_right(self.oids, oid)
        return index if index < len(self.oids) else None


class Mibs:
    """The objects of all devices of a lab, built as they are needed."""

    def __init__(self, network: Network, *, limit: int = MAX_OBJECTS) -> None:
        self._network = network
        self._limit = limit
        self._kept: OrderedDict[str, Mib] = OrderedDict()  # those asked last at the end
        self._objects = 0
        self._generation = network.generation

    def of(self, device: LabDevice) -> Mib:
        """Return the objects of a device."""
        if self._generation != self._network.generation:
            self._generation = self._network.generation
            self._kept.clear()
            self._objects = 0
        found = self._kept.get(device.address)
        if found is None:
            found = build(device, self._network)
            self._objects += len(found.oids)
            while self._kept and self._objects > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._objects -= len(dropped.oids)
            self._kept[device.address] = found
        else:
            self._kept.move_to_end(device.address)
        return found


def build(device: LabDevice, network: Network) -> Mib:
    """Return the objects of a device as it is in its network."""
    if device.file:
        return _played(device)
    frame = chassis(device.recording)
    found: dict[Oid, Encoded] = dict(_same(device.recording))
    for oid, (tag, content) in _own(device.recording).items():
        found[oid] = encode(tag, _made_own(content, oid, device))
    found[SYS_NAME] = octets(device.sys_name.encode())
    peers = {cable.port: cable for cable in network.cables(device)}
    for index, port in enumerate(frame.ports, 1):
        peer = peers.get(index)
        up = peer is not None or not port.wired or index == frame.managed
        alias = f"to {network.now(peer.peer).sys_name}" if peer is not None else ""
        found[*_IF_ENTRY, 8, index] = number(_UP if up else _DOWN)
        found[*_IF_X_ENTRY, 18, index] = octets(alias.encode())
        if port.wired:
            mac = device.port_mac(index) if index != _first_wired(device.recording) else None
            found[*_IF_ENTRY, 6, index] = octets(mac or device.port_mac(0x4C, first=0x02))
        for entry, column, tag in (
            (_IF_ENTRY, 10, ber.COUNTER),
            (_IF_ENTRY, 16, ber.COUNTER),
            (_IF_X_ENTRY, 6, ber.COUNTER64),
            (_IF_X_ENTRY, 10, ber.COUNTER64),
        ):
            found[*entry, column, index] = Running(tag, _octets_a_second(index, up=up))
    own = ipaddress.IPv4Address(device.address).packed
    found[*_ADDRESSES, 1, *own] = ber.tlv(ber.IP_ADDRESS, own)
    found[*_ADDRESSES, 2, *own] = number(frame.managed)
    last = 0 if frame.ports[frame.managed - 1].kind != _LOOPBACK else 255
    found[*_ADDRESSES, 3, *own] = ber.tlv(ber.IP_ADDRESS, bytes((255, 255, 255, last)))
    found |= lldp_objects(device, network)
    if frame.model.bridge:
        found |= bridge_objects(device, network)
    oids = tuple(sorted(found))
    return Mib(oids, tuple(found[oid] for oid in oids))


def _played(device: LabDevice) -> Mib:
    """Return the objects of somebody else's recording, with the clock running and the name as it is now.

    A file that has gone since the start of the lab has none.
    """
    found: dict[Oid, Encoded] = {}
    try:
        found |= read_objects(Path(device.file))
    except LabError as exc:
        log.warning("%s: its agent answers its name alone", exc)
    found[SYS_UP_TIME] = Running(ber.TICKS, 100)
    found[SYS_NAME] = octets(device.sys_name.encode())
    oids = tuple(sorted(found))
    return Mib(oids, tuple(found[oid] for oid in oids))


def _made_own(content: bytes, oid: Oid, device: LabDevice) -> bytes:
    """Return a text of a recording with what stands for one device put in place of the recorded."""
    recording = chassis(device.recording).recording
    digits = f"{device.number:0{_DIGITS}d}"[-_DIGITS:].encode()
    if oid[: len(_SERIAL_NUMBERS)] == _SERIAL_NUMBERS:
        return content[:-_DIGITS] + digits
    serial = recording.serial.encode()
    if serial:
        content = content.replace(serial, serial[:-_DIGITS] + digits)
    content = content.replace(recording.hostname.encode(), device.sys_name.encode())
    place = f"Hall {device.segment + 1}, rack {device.number}"
    return content.replace(recording.location.encode(), place.encode())


@cache
def _own(recording: str) -> dict[Oid, tuple[int, bytes]]:
    """Return the recorded texts that differ from device to device."""
    found = chassis(recording).recording
    texts = [text.encode() for text in (found.hostname, found.serial, found.location) if text]
    return {
        oid: (tag, content)
        for oid, (tag, content) in found.objects.items()
        if tag == ber.OCTETS
        and (
            oid[: len(_SERIAL_NUMBERS)] == _SERIAL_NUMBERS or any(text in content for text in texts)
        )
    }


@cache
def _same(recording: str) -> dict[Oid, Encoded]:
    """Return the objects that all devices of a recording share."""
    frame = chassis(recording)
    found: dict[Oid, Encoded] = {
        oid: encode(tag, content) for oid, (tag, content) in frame.recording.objects.items()
    }
    found[SYS_UP_TIME] = Running(ber.TICKS, 100)
    found[*_MIB_2, 2, 1, 0] = number(len(frame.ports))
    for index, port in enumerate(frame.ports, 1):
        name = octets(port.name.encode())
        columns: tuple[tuple[Oid, int, bytes], ...] = (
            (_IF_ENTRY, 1, number(index)),
            (_IF_ENTRY, 2, name),
            (_IF_ENTRY, 3, number(port.kind)),
            (_IF_ENTRY, 4, number(1500)),
            (_IF_ENTRY, 5, number(min(port.speed * 1_000_000, _MAX_GAUGE), ber.GAUGE)),
            (_IF_ENTRY, 6, octets(b"")),
            (_IF_ENTRY, 7, number(_UP)),
            (_IF_ENTRY, 9, number(0, ber.TICKS)),
            (_IF_X_ENTRY, 1, name),
            (_IF_X_ENTRY, 15, number(port.speed, ber.GAUGE)),
        )
        for entry, column, value in columns:
            found[*entry, column, index] = value
    return found


@cache
def _first_wired(recording: str) -> int:
    return next(index for index, port in enumerate(chassis(recording).ports, 1) if port.wired)


def _octets_a_second(index: int, *, up: bool) -> int:
    return 1000 * (index % 90 + 10) if up else 0

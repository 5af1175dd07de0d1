"""Devices as probes see them, as stores keep them and as reports carry them."""

from __future__ import annotations

import msgspec

from pdsno_cli.model.numbers import Count, Seconds


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one cycle saw of one device, merged over protocols.

    ``addresses`` are IPv4 addresses, lowest first. ``mac`` is six lower-case hex pairs joined
    by colons, None where no probe found one; ``mac_source`` is the protocol it comes from.
    ``protocols`` are those that the device answered, in the order of ``probes.PROTOCOLS``.
    ``uptime`` is sysUpTime in seconds.
    """

    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    mac: str | None = None
    mac_source: str | None = None
    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One device as a controller knows it, and as reports carry it: always whole, never a diff.

    ``device_id`` is given by the local controller at first sight (``mac:…`` or ``ip:…``), stays
    for life and is unique within that local controller.
    """

    device_id: str
    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    mac: str | None = None
    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None

    def same(self, other: Device) -> bool:
        """Return True if the two differ in nothing but their uptime, which always does."""
        return (
            self.addresses == other.addresses
            and self.protocols == other.protocols
            and self.sys_name == other.sys_name
            and self.mac == other.mac
            and self.sys_descr == other.sys_descr
            and self.sys_object_id == other.sys_object_id
            and self.device_id == other.device_id
        )


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A device as its local controller remembers it from cycle to cycle.

    ``missed`` counts the cycles in a row without any answer. ``silent`` counts, per protocol and
    per address of a device that does answer, the cycles in a row in which that one did not.
    ``mac_source`` is the protocol that the MAC comes from.
    """

    device: Device
    active: bool = True
    missed: int = 0
    silent: dict[str, int] = {}
    mac_source: str | None = None


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The result of one probe in one cycle.

    ``error`` is the reason why the protocol could not be used at all; no answers are not an error.
    ``targets`` counts those that the protocol can ask: 0 without an error means that it does not
    apply here, as ARP where no target is on a link of the machine.
    """

    protocol: str
    targets: Count
    answers: Count
    seconds: Seconds
    error: str | None = None

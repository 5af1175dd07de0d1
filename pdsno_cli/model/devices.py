"""Devices as probes observe them, and as stores and reports hold them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pdsno_cli.model.numbers import Count, Seconds

EXTRA_FIELDS, EXTRA_NAME, EXTRA_VALUE = 32, 64, 1024  # fields; characters of a name and of a value

# Fields of a device from single probes, by name; never empty.
Extra = Annotated[
    dict[
        Annotated[str, msgspec.Meta(max_length=EXTRA_NAME)],
        Annotated[str, msgspec.Meta(max_length=EXTRA_VALUE)],
    ],
    msgspec.Meta(min_length=1, max_length=EXTRA_FIELDS),
]


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one cycle observed of one device, merged over protocols.

    ``addresses`` are canonical, IPv4 before IPv6, lowest first. ``mac`` is six lower-case hex pairs joined
    by colons, None if no probe found one; ``mac_source`` is the protocol it comes from.
    ``aliases`` are further MACs from ARP, where what the device says of itself joins its addresses.
    ``protocols`` are those that the device answered, in the order of ``probes.PROTOCOLS``.
    ``uptime`` is sysUpTime in seconds. ``extra`` is as in ``Device``.
    """

    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    mac: str | None = None
    mac_source: str | None = None
    aliases: tuple[str, ...] = ()
    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    extra: Extra | msgspec.UnsetType = msgspec.UNSET


class Device(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One device in stores and reports: always complete, never a diff.

    ``device_id`` is assigned by the local controller at discovery (``mac:…`` or ``ip:…``), never
    changes, and is unique within that local controller. ``extra`` has the fields of probes that are
    not members of this type; without any it is left out of messages.
    """

    device_id: str
    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    mac: str | None = None
    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    extra: Extra | msgspec.UnsetType = msgspec.UNSET

    def same(self, other: Device) -> bool:
        """Return True if the two are equal, apart from their uptime."""
        return (
            self.addresses == other.addresses
            and self.protocols == other.protocols
            and self.sys_name == other.sys_name
            and self.mac == other.mac
            and self.sys_descr == other.sys_descr
            and self.sys_object_id == other.sys_object_id
            and self.device_id == other.device_id
            and self.extra == other.extra
        )


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A device as its local controller stores it from cycle to cycle.

    ``missed`` counts the cycles in a row without any answer. ``silent`` counts, per protocol and
    per address of a device that answers, the cycles in a row in which that one did not.
    ``mac_source`` is the protocol that the MAC comes from, ``aliases`` are as in ``Observation``. ``flaps`` counts how often it came back of
    late, ``calm`` the cycles since then in which it answered.
    """

    device: Device
    active: bool = True
    missed: int = 0
    flaps: int = 0
    calm: int = 0
    silent: dict[str, int] = {}
    mac_source: str | None = None
    aliases: tuple[str, ...] = ()


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

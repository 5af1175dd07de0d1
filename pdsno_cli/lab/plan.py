"""Plans a lab: which target addresses get a device, and the identity of each; pure."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pdsno_cli.lab.models import SILENT, Model, mix
from pdsno_cli.model.errors import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class LabUser:
    """A user of SNMPv3: protocol and password of authentication and of privacy, None without."""

    name: str
    auth: tuple[str, str] | None = None
    privacy: tuple[str, str] | None = None


Credential = str | LabUser  # a community of v2c, or a user


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The targets of one local controller, and its SNMP parameters, secrets resolved.

    With ``credentials`` its agents answer to one of those each, in turn; without, to ``community``.
    """

    targets: Sequence[str]
    port: int = 161
    community: str = "public"
    credentials: Sequence[Credential] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDevice:
    """One device of a lab; without ``snmp`` only the kernel answers at its address.

    ``recording`` is what its agent plays, ``segment`` the number of its local controller's range, and
    ``number`` its own, from 1: serial numbers end with it. ``icmp`` is for a lab with a network of its
    own; on loopback the kernel answers. An agent with a ``user`` speaks SNMPv3 alone. One with a
    ``file`` plays that recording of somebody else's as it is, and has no ``recording``.
    """

    address: str
    snmp: bool
    port: int
    community: str
    sys_name: str
    recording: str
    segment: int
    number: int
    icmp: bool = True
    user: LabUser | None = None
    file: str = ""

    @property
    def mac(self) -> str:
        """The MAC of its first port."""
        return self.port_mac(0x4C, first=0x02).hex(":")

    def port_mac(self, number: int, *, first: int = 0x06) -> bytes:
        """Return a MAC of its own: locally administered (0x02), unique by its address."""
        return bytes((first, number & 0xFF)) + ipaddress.IPv4Address(self.address).packed


def plan(
    segments: Sequence[Segment],
    *,
    devices: int,
    snmp: int,
    icmp: int | None = None,
    files: Sequence[tuple[str, str]] = (),
) -> tuple[LabDevice, ...]:
    """Return ``devices`` devices spread evenly over the targets, ``snmp`` of them with an agent.

    ``icmp`` of them answer echo, all if it is None. The first agents play ``files``, given by path and
    sysName, one each: two devices with one serial number would be one. The same input gives the same
    lab. Raises LabError if there are fewer targets than devices.
    """
    places = [
        (target, number) for number, segment in enumerate(segments) for target in segment.targets
    ]
    if devices > len(places):
        raise LabError(f"the lab has {devices} devices but its targets are {len(places)} addresses")
    if snmp > devices:
        raise LabError(f"the lab has {snmp} devices with SNMP but only {devices} devices")
    chosen = [places[index] for index in _spread(devices, len(places))]
    with_snmp = set(_spread(snmp, devices))
    echoing = set(_spread(devices if icmp is None else min(icmp, devices), devices))
    models = mix(len(segments))
    turns = [itertools.cycle(item.credentials or (item.community,)) for item in segments]
    found = []
    others = iter(files)
    for number, (target, segment) in enumerate(chosen):
        speaks = number in with_snmp
        file = next(others, None) if speaks else None
        credential = next(turns[segment]) if speaks else segments[segment].community
        user = credential if isinstance(credential, LabUser) else None
        device = make_device(
            number,
            target,
            port=segments[segment].port,
            community=credential if isinstance(credential, str) else "",
            user=user,
            segment=segment,
            model=next(models[segment]) if speaks and file is None else None,
            icmp=number in echoing,
        )
        if file is not None:
            path, name = file
            device = replace(device, snmp=True, sys_name=name, file=path)
        found.append(device)
    return tuple(found)


def make_device(
    number: int,
    address: str,
    *,
    port: int,
    community: str,
    user: LabUser | None = None,
    segment: int = 0,
    model: Model | None = None,
    icmp: bool = True,
) -> LabDevice:
    """Return device ``number`` (from 0) of a lab at ``address``; without a model it has no agent."""
    prefix = SILENT if model is None else model.prefix
    return LabDevice(
        address=address,
        snmp=model is not None,
        port=port,
        community=community,
        sys_name=f"{prefix}-{number + 1:02d}",
        recording="" if model is None else model.recording,
        segment=segment,
        number=number + 1,
        icmp=icmp,
        user=user,
    )


def added_device(number: int, address: str, like: LabDevice) -> LabDevice:
    """Return a device that a lab did not have: with SNMP, and in the segment of ``like``."""
    model = next(itertools.islice(mix(1)[0], number, None))
    return make_device(
        number,
        address,
        port=like.port,
        community=like.community,
        user=like.user,
        segment=like.segment,
        model=model,
    )


def _spread(count: int, among: int) -> Iterator[int]:
    """Yield ``count`` of the indices below ``among``, evenly spaced."""
    return (index * among // count for index in range(count))

"""Plans a lab: which target addresses get a device, and the identity of each; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pdsno_cli.model.errors import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The targets of one local controller, and its SNMP parameters; ``community`` is resolved."""

    targets: Sequence[str]
    port: int = 161
    community: str = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDevice:
    """One device of a lab; without ``snmp`` only the kernel answers at its address."""

    address: str
    snmp: bool
    port: int
    community: str
    sys_name: str
    sys_descr: str
    sys_object_id: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """A made-up product; ``object_id`` is under its vendor's IANA enterprise number."""

    role: str
    object_id: str
    descr: str


_ENTERPRISES = "1.3.6.1.4.1"
_MODELS = (
    _Model(
        role="sw-access",
        object_id=f"{_ENTERPRISES}.9.1.2494",
        descr="Cisco IOS Software [Amsterdam], Catalyst L3 Switch Software, Version 17.3.5",
    ),
    _Model(
        role="sw-core",
        object_id=f"{_ENTERPRISES}.30065.1.3011.7280.2733.3.48",
        descr="Arista Networks EOS version 4.29.2F running on an Arista Networks DCS-7280SR-48C6",
    ),
    _Model(
        role="ap-floor",
        object_id=f"{_ENTERPRISES}.14823.1.2.111",
        descr="ArubaOS (MODEL: 515), Version 8.10.0.7",
    ),
    _Model(
        role="rt-edge",
        object_id=f"{_ENTERPRISES}.2636.1.1.1.2.29",
        descr="Juniper Networks, Inc. mx240 internet router, kernel JUNOS 21.4R3",
    ),
    _Model(
        role="srv-rack",
        object_id=f"{_ENTERPRISES}.8072.3.2.10",
        descr="Linux srv-rack 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 x86_64",
    ),
    _Model(
        role="ups-room",
        object_id=f"{_ENTERPRISES}.318.1.3.27",
        descr="APC Web/SNMP Management Card (MB:v4.2.6 PF:v2.2.0 PN:apc_hw21_aos_220.bin)",
    ),
    _Model(
        role="prn-hall",
        object_id=f"{_ENTERPRISES}.11.2.3.9.1",
        descr="HP ETHERNET MULTI-ENVIRONMENT,SN:VNC4000001,FN:1UVB0W9,SVCID:22031",
    ),
)


def plan(segments: Sequence[Segment], *, devices: int, snmp: int) -> tuple[LabDevice, ...]:
    """Return ``devices`` devices spread evenly over the targets, ``snmp`` of them with an agent.

    The same input gives the same lab. Raises LabError if there are fewer targets than devices.
    """
    places = [(target, segment) for segment in segments for target in segment.targets]
    if devices > len(places):
        raise LabError(f"the lab has {devices} devices but its targets are {len(places)} addresses")
    if snmp > devices:
        raise LabError(f"the lab has {snmp} devices with SNMP but only {devices} devices")
    chosen = [places[index] for index in _spread(devices, len(places))]
    with_snmp = set(_spread(snmp, devices))
    return tuple(
        make_device(
            number, target, port=segment.port, community=segment.community, snmp=number in with_snmp
        )
        for number, (target, segment) in enumerate(chosen)
    )


def make_device(
    number: int, address: str, *, port: int, community: str, snmp: bool = True
) -> LabDevice:
    """Return device ``number`` (from 0) of a lab at ``address``."""
    model = _MODELS[number % len(_MODELS)]
    # 0x02: locally administered; the address makes it unique.
    octets = b"\x02\x4c" + ipaddress.IPv4Address(address).packed
    return LabDevice(
        address=address,
        snmp=snmp,
        port=port,
        community=community,
        sys_name=f"{model.role}-{number + 1:02d}",
        sys_descr=model.descr,
        sys_object_id=model.object_id,
        mac=octets.hex(":"),
    )


def _spread(count: int, among: int) -> Iterator[int]:
    """Yield ``count`` of the indices below ``among``, evenly spaced."""
    return (index * among // count for index in range(count))

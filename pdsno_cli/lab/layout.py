"""The cables of a lab: which port of which device is plugged into which; pure.

The router has a port for each segment's core switch, which has one for each access switch and for what
stands in the rack; everything else is plugged into an access switch. What a lab lacks is left out: its
devices are plugged into the next one above. More devices than ports share ports, as behind a small
switch without management.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pdsno_cli.lab.models import USERS, Chassis, chassis
from pdsno_cli.lab.plan import LabDevice

_HOST_PORT = 1


@dataclass(frozen=True, slots=True)
class Cable:
    """One end of a cable: the port here (ifIndex), and the device and port there."""

    port: int
    peer: LabDevice
    peer_port: int
    down: bool  # towards the end devices


Cables = Mapping[str, list[Cable]]  # by the address of the device


def chassis_of(device: LabDevice) -> Chassis | None:
    """Return the chassis of a device; None for one without an agent."""
    return chassis(device.recording) if device.recording else None


def place_of(device: LabDevice) -> str:
    """Return the place of a device's model."""
    return chassis(device.recording).model.place if device.recording else "desk"


def vlan_of(device: LabDevice) -> int:
    """Return the VLAN of the port that a device is plugged into."""
    return chassis(device.recording).model.vlan if device.recording else USERS


def lay(devices: Iterable[LabDevice]) -> Cables:
    """Return the cables of each device."""
    by_segment: dict[int, dict[str, list[LabDevice]]] = defaultdict(lambda: defaultdict(list))
    routers = []
    for device in devices:
        place = place_of(device)
        if place == "router":
            routers.append(device)
        else:
            by_segment[device.segment][place].append(device)
    cables: dict[str, list[Cable]] = defaultdict(list)
    used: dict[str, itertools.count[int]] = defaultdict(itertools.count)

    def plug(lower: Iterable[LabDevice], uppers: list[LabDevice]) -> bool:
        """Plug each device into one of those above, in turn; return False if there is none."""
        if not uppers:
            return False
        for device, upper in zip(lower, itertools.cycle(uppers)):
            ports = chassis(upper.recording).down
            port = ports[next(used[upper.address]) % len(ports)]
            frame = chassis_of(device)
            own = _HOST_PORT if frame is None else frame.up
            cables[upper.address].append(Cable(port, device, own, down=True))
            cables[device.address].append(Cable(own, upper, port, down=False))
        return True

    for places in by_segment.values():
        cores, access = places["core"], places["access"]
        plug(cores, routers)
        _ = plug(access, cores) or plug(access, routers)
        _ = plug(places["rack"], cores) or plug(places["rack"], access or routers)
        _ = plug(places["desk"], access) or plug(places["desk"], cores or routers)
    return cables

"""The products of a lab: what each recording is in its network, and the order in which it has them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pdsno_cli.lab.recording import Port, Recording, load

Place = Literal["router", "core", "access", "rack", "desk"]

_VIRTUAL = 136  # IANAifType l3ipvlan
SILENT = "host"  # names of devices without an agent begin with it
USERS, SERVERS, VOICE, MANAGEMENT = 10, 20, 30, 99
VLANS = {USERS: "users", SERVERS: "servers", VOICE: "voice", MANAGEMENT: "management"}

# Bits of LldpSystemCapabilitiesMap, IEEE 802.1AB; the first is that of the highest value.
BRIDGE, ACCESS_POINT, ROUTER, TELEPHONE, STATION = 0x20, 0x10, 0x08, 0x04, 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One product. ``place`` says what it is plugged into: a desk hangs off an access switch.

    ``widened`` is the recorded port from which the access ports go on, up to ``count`` of them;
    ``uplink`` names the port towards the core, ``managed`` the interface with the device's address.
    ``capabilities`` is None for one that speaks no LLDP; with ``mac_ports`` that calls its ports by their
    MACs. ``vlan`` is that of the port it is plugged into.
    """

    recording: str
    prefix: str
    place: Place = "desk"
    widened: str = ""
    count: int = 0
    uplink: str = ""
    managed: str = ""
    capabilities: int | None = None
    mac_ports: bool = False
    vlan: int = USERS

    @property
    def bridge(self) -> bool:
        """Return True for a switch, which has VLANs and a forwarding table."""
        return self.place in {"core", "access"}


MODELS = (
    Model(
        recording="edge-router-junos", prefix="rt-edge", place="router", widened="et-0/0/0",
        count=32, uplink="xe-0/1/0", managed="lo0", capabilities=ROUTER,
    ),
    Model(
        recording="core-switch-vrp", prefix="sw-core", place="core",
        widened="XGigabitEthernet0/0/1", count=48, uplink="XGigabitEthernet0/0/48",
        managed="Vlanif99", capabilities=BRIDGE | ROUTER,
    ),
    Model(
        recording="access-switch-iosxe", prefix="sw-access", place="access",
        widened="GigabitEthernet1/0/1", count=48, uplink="TenGigabitEthernet1/1/1",
        managed="Vlan99", capabilities=BRIDGE,
    ),
    Model(
        recording="campus-switch-procurve", prefix="sw-campus", place="access", widened="1",
        count=24, uplink="24", managed="VLAN99", capabilities=BRIDGE,
    ),
    Model(
        recording="leaf-eos", prefix="leaf-rack", place="access", widened="Ethernet1", count=48,
        uplink="Ethernet48", managed="Management1", capabilities=BRIDGE | ROUTER,
    ),
    Model(recording="access-point-unifi", prefix="ap-floor", capabilities=ACCESS_POINT),
    Model(recording="printer-jetdirect", prefix="prn-hall"),
    Model(
        recording="server-linux-hpe", prefix="srv-rack",
        capabilities=STATION, mac_ports=True, vlan=SERVERS,
    ),
    Model(recording="camera-axis", prefix="cam-gate", capabilities=STATION, vlan=VOICE),
    Model(
        recording="firewall-fortios", prefix="fw-branch", place="rack", managed="internal",
        uplink="internal", capabilities=ROUTER, vlan=MANAGEMENT,
    ),
    Model(recording="ups-apc", prefix="ups-room", vlan=MANAGEMENT),
    Model(recording="server-windows", prefix="srv-win", vlan=SERVERS),
    Model(
        recording="wlan-controller-arubaos", prefix="wlc-main", place="rack",
        capabilities=BRIDGE | ACCESS_POINT, vlan=MANAGEMENT,
    ),
    Model(recording="storage-dsm", prefix="nas-lab", capabilities=STATION, vlan=SERVERS),
    Model(recording="pdu-raritan", prefix="pdu-rack", vlan=MANAGEMENT),
    Model(
        recording="firewall-panos", prefix="fw-dc", place="rack", uplink="management",
        capabilities=ROUTER, vlan=MANAGEMENT,
    ),
    Model(
        recording="load-balancer-tmos", prefix="lb-web", place="rack", uplink="mgmt",
        capabilities=STATION, vlan=SERVERS,
    ),
    Model(
        recording="branch-router-routeros", prefix="rt-branch", place="rack", uplink="ether1",
        managed="bridge", capabilities=ROUTER, vlan=MANAGEMENT,
    ),
    Model(recording="phone-yealink", prefix="phone-desk", capabilities=TELEPHONE, vlan=VOICE),
)  # fmt: skip
_BY_NAME = {model.recording: model for model in MODELS}
_ACCESS = tuple(model for model in MODELS if model.place == "access")
_ENDS = tuple(model for model in MODELS if model.place in {"rack", "desk"})
_ROUTER, _CORE = MODELS[:2]
_EACH_ACCESS = 8  # of so many devices below a core switch the first is a switch


def model(recording: str) -> Model:
    """Return the model that plays a recording."""
    return _BY_NAME[recording]


def mix(segments: int) -> list[Iterator[Model]]:
    """Return, for each segment, its models in order: the lab's router, a core switch, then a mix."""
    access, ends = itertools.cycle(_ACCESS), itertools.cycle(_ENDS)

    def below(first: bool) -> Iterator[Model]:
        if first:
            yield _ROUTER
        yield _CORE
        for number in itertools.count():
            yield next(ends if number % _EACH_ACCESS else access)

    return [below(number == 0) for number in range(segments)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chassis:
    """The interfaces of a model, by ifIndex less one, and which of them are what.

    ``down`` are those that others are plugged into, ``up`` is the one towards the core, and
    ``managed`` the one with the address: indices from 1.
    """

    model: Model
    recording: Recording
    ports: tuple[Port, ...]
    down: tuple[int, ...]
    up: int
    managed: int


@cache
def chassis(name: str) -> Chassis:
    """Return the chassis of a model."""
    found, recording = model(name), load(name)
    ports = _widened(recording.ports, found.widened, found.count)
    if found.managed and all(port.name != found.managed for port in ports):
        ports = (*ports, Port(found.managed, _VIRTUAL, 1000))
    indices = {port.name: index for index, port in enumerate(ports, 1)}
    wired = [index for index, port in enumerate(ports, 1) if port.wired]
    up = indices[found.uplink] if found.uplink else wired[0]
    return Chassis(
        model=found,
        recording=recording,
        ports=ports,
        down=tuple(
            index for index in wired if found.count and index not in {up, indices[found.managed]}
        ),
        up=up,
        managed=indices[found.managed] if found.managed else up,
    )


def _widened(ports: tuple[Port, ...], first: str, count: int) -> tuple[Port, ...]:
    """Return the ports with those of the kind of ``first`` numbered on up to ``count`` of them."""
    if not first:
        return ports
    stem = _stem(first)
    start = int(first.removeprefix(stem))
    like = next(port for port in ports if port.name == first)
    alike = [port for port in ports if _stem(port.name) == stem]
    more = tuple(Port(f"{stem}{start + n}", like.kind, like.speed) for n in range(count))
    at = ports.index(alike[0])
    return (*ports[:at], *more, *(port for port in ports[at:] if port not in alike))


def _stem(name: str) -> str:
    return re.sub(r"\d+$", "", name)

"""What a device consists of and is plugged into: interfaces, neighbours, VLANs, stations."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

# A device over a bound is cut to it; the largest chassis have some thousand interfaces.
MAX_INTERFACES, MAX_NEIGHBOURS, MAX_VLANS, MAX_STATIONS = 4096, 1024, 4096, 16_384
TEXT_CHARACTERS = 255  # of any text

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS)]
Vid = Annotated[int, msgspec.Meta(ge=1, le=4094)]  # IEEE 802.1Q

InterfaceState = Literal[
    "up", "down", "testing", "unknown", "dormant", "not-present", "lower-layer-down"
]


class Interface(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One interface (RFC 2863). ``index`` is ifIndex, ``name`` ifName, else ifDescr.

    ``speed`` is in Mbit/s. ``mac`` is six lower-case hex pairs joined by colons. ``addresses`` have
    their prefix length where it is known: ``10.0.0.1/24``. ``vlan`` is the one of untagged frames.
    """

    index: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    name: Text
    alias: Text = ""
    mac: str | None = None
    speed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    admin: Literal["up", "down", "testing"] | None = None
    state: InterfaceState | None = None
    addresses: tuple[Text, ...] = ()
    vlan: Vid | None = None


class Neighbour(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a device hears at one of its interfaces, by LLDP (IEEE 802.1AB) or CDP.

    ``interface`` is the name of the device's own. ``chassis`` and ``port`` are the neighbour's
    identifiers; those that are a MAC or an IP address are written as one. ``capabilities`` are in
    lower case, as in ``bridge``, ``router``, ``wlan-ap``, ``telephone``.
    """

    interface: Text
    protocol: Literal["lldp", "cdp"]
    chassis: Text = ""
    port: Text = ""
    name: Text = ""
    description: Text = ""
    address: Text = ""
    capabilities: tuple[Text, ...] = ()


class Vlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One VLAN of a device."""

    id: Vid
    name: Text = ""


class Station(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One learned entry of a forwarding table: the MAC is behind the interface of this name."""

    mac: str
    interface: Text
    vlan: Vid | None = None


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All of this of one device. ``chassis`` is its own LLDP identifier, as a neighbour sees it.

    ``stations`` is None where the forwarding table was not asked for. Interfaces are in the order of
    their index, the rest is sorted, so that two equal devices have equal details.
    """

    chassis: Text = ""
    interfaces: Annotated[tuple[Interface, ...], msgspec.Meta(max_length=MAX_INTERFACES)] = ()
    neighbours: Annotated[tuple[Neighbour, ...], msgspec.Meta(max_length=MAX_NEIGHBOURS)] = ()
    vlans: Annotated[tuple[Vlan, ...], msgspec.Meta(max_length=MAX_VLANS)] = ()
    stations: Annotated[tuple[Station, ...], msgspec.Meta(max_length=MAX_STATIONS)] | None = None

    @property
    def digest(self) -> str:
        """Twelve hex digits that are equal for equal details."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]

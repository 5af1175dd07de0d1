"""What a device consists of and is plugged into: interfaces, neighbours, VLANs, stations.

A report carries a detail in pieces, since one forwarding table may be larger than a message. It leaves
out the interfaces until they are asked for: their hash is in the device's field ``detail``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

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
    identifiers; those that are a MAC or an IP address are written as one. ``port_description`` is what
    LLDP says of the port, often the name of the interface where the identifier is a MAC or a number.
    ``capabilities`` are in lower case, as in ``bridge``, ``router``, ``wlan-ap``, ``telephone``.
    """

    interface: Text
    protocol: Literal["lldp", "cdp"]
    chassis: Text = ""
    port: Text = ""
    port_description: Text = ""
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


class DeviceDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A piece of the detail of one device; ``digest`` is that of the whole detail.

    With ``more``, the lists continue in the next piece. A ``brief`` one has no interfaces, though the
    device may have some.
    """

    device_id: str
    digest: str
    detail: Detail
    brief: bool = False
    more: bool = False


def whole(device_id: str, detail: Detail) -> DeviceDetail:
    """Return a detail in one piece, as stores keep it."""
    return DeviceDetail(device_id=device_id, digest=detail.digest, detail=detail)


_LISTS = ("neighbours", "vlans", "stations", "interfaces")
_PIECE = 200  # entries of a piece: less than 100 KB, whatever their texts


def pieces(device_id: str, detail: Detail, *, brief: bool = False) -> list[DeviceDetail]:
    """Return a detail as pieces of at most ``_PIECE`` entries each."""
    digest = detail.digest
    left = [
        (name, entry)
        for name in _LISTS
        if not (brief and name == "interfaces")
        for entry in getattr(detail, name) or ()
    ]
    bare = Detail(chassis=detail.chassis, stations=None if detail.stations is None else ())
    result = []
    for start in range(0, max(len(left), 1), _PIECE):
        lists: dict[str, list[object]] = {}
        for name, entry in left[start : start + _PIECE]:
            lists.setdefault(name, []).append(entry)
        result.append(
            DeviceDetail(
                device_id=device_id,
                digest=digest,
                detail=replace(bare, **{name: tuple(some) for name, some in lists.items()}),
                brief=brief,
                more=start + _PIECE < len(left),
            )
        )
    return result


def joined(parts: Iterable[DeviceDetail]) -> Iterator[DeviceDetail]:
    """Yield each device's detail as one piece; pieces without their last one are left out."""
    waiting: list[DeviceDetail] = []
    for part in parts:
        if waiting and (part.device_id, part.digest) != (waiting[0].device_id, waiting[0].digest):
            waiting = []
        waiting.append(part)
        if not part.more:
            yield waiting[0] if len(waiting) == 1 else _join(waiting)
            waiting = []


def _join(parts: list[DeviceDetail]) -> DeviceDetail:
    lists = {
        name: tuple(e for one in parts for e in getattr(one.detail, name) or ()) for name in _LISTS
    }
    if parts[0].detail.stations is None:
        lists["stations"] = None  # type: ignore[assignment]
    return replace(parts[-1], detail=replace(parts[0].detail, **lists))

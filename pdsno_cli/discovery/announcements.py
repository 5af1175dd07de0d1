"""Reads the frames in which devices announce themselves: LLDP (IEEE 802.1AB) and CDP, through scapy.

Whoever is on the link can send them: texts are cut and cleaned, and a frame that scapy cannot read is
none.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.text import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

LLDP_TYPE = 0x88CC
CDP_GROUP = bytes.fromhex("01000ccccccc")
LLDP_GROUPS = tuple(bytes.fromhex(f"0180c20000{last}") for last in ("0e", "03", "00"))

_MAX_TTL = 600  # seconds for which an announcement is believed, whatever it says
_CHASSIS_MAC, _PORT_MAC, _IPV4, _IPV6 = 4, 3, 1, 2  # subtypes of LLDP


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What one device says of itself and of the port that it sends from; ``ttl`` is in seconds.

    ``addresses`` are its management addresses, ``mac`` its chassis identifier if that is one.
    """

    addresses: tuple[str, ...]
    port: str
    ttl: int
    mac: str | None = None
    name: str | None = None
    description: str | None = None


def load_scapy() -> None:
    """Import scapy's layers, without IPv6, which slows their start."""
    from scapy.config import conf

    conf.ipv6_enabled = False
    import scapy.contrib.cdp
    import scapy.contrib.lldp
    import scapy.layers.l2  # noqa: F401


def read_frame(frame: bytes) -> Announcement | None:
    """Return the announcement in an Ethernet frame; None if there is none, or a broken one."""
    load_scapy()
    from scapy.layers.l2 import Dot3, Ether

    lldp = int.from_bytes(frame[12:14], "big") == LLDP_TYPE
    if not lldp and frame[:6] != CDP_GROUP:
        return None
    try:
        packet = (Ether if lldp else Dot3)(frame)
        return _of_lldp(packet) if lldp else _of_cdp(packet)
    except Exception:  # noqa: BLE001 - scapy raises whatever comes of a frame that lies
        return None


def _of_lldp(packet: Any) -> Announcement | None:
    from scapy.contrib import lldp

    chassis, port = packet.getlayer(lldp.LLDPDUChassisID), packet.getlayer(lldp.LLDPDUPortID)
    life = packet.getlayer(lldp.LLDPDUTimeToLive)
    if chassis is None or port is None or life is None:
        return None
    name, description = (
        packet.getlayer(lldp.LLDPDUSystemName),
        packet.getlayer(lldp.LLDPDUSystemDescription),
    )
    return Announcement(
        addresses=tuple(_lldp_addresses(packet)),
        port=_identifier(port.id, mac=port.subtype == _PORT_MAC),
        ttl=min(int(life.ttl), _MAX_TTL),
        mac=_identifier(chassis.id, mac=True) or None if chassis.subtype == _CHASSIS_MAC else None,
        name=None if name is None else _text(name.system_name, NAME_CHARACTERS),
        description=None
        if description is None
        else _text(description.description, DESCRIPTION_CHARACTERS),
    )


def _lldp_addresses(packet: Any) -> Iterator[str]:
    from scapy.contrib import lldp

    number = 1
    while (found := packet.getlayer(lldp.LLDPDUManagementAddress, number)) is not None:
        value = bytes(found.management_address)
        if found.management_address_subtype == _IPV4 and len(value) == 4:
            yield str(ipaddress.IPv4Address(value))
        elif found.management_address_subtype == _IPV6 and len(value) == 16:
            yield str(ipaddress.IPv6Address(value))
        number += 1


def _of_cdp(packet: Any) -> Announcement | None:
    from scapy.contrib import cdp

    header = packet.getlayer(cdp.CDPv2_HDR)
    if header is None:
        return None
    by_kind = {type(item): item for item in header.msg}
    device, port = by_kind.get(cdp.CDPMsgDeviceID), by_kind.get(cdp.CDPMsgPortID)
    if device is None or port is None:
        return None
    software, addresses = by_kind.get(cdp.CDPMsgSoftwareVersion), by_kind.get(cdp.CDPMsgAddr)
    return Announcement(
        addresses=tuple(
            str(item.addr)
            for item in (addresses.addr if addresses is not None else ())
            if isinstance(item, cdp.CDPAddrRecordIPv4)
        ),
        port=_identifier(port.iface, mac=False),
        ttl=min(int(header.ttl), _MAX_TTL),
        name=_text(device.val, NAME_CHARACTERS),
        description=None if software is None else _text(software.val, DESCRIPTION_CHARACTERS),
    )


def _identifier(value: Any, *, mac: bool) -> str:
    """Return an identifier as text; scapy gives MACs as text, all else as bytes."""
    if mac:
        try:
            return format_mac(bytes.fromhex(str(value).replace(":", ""))) or ""
        except ValueError:
            return ""
    return _text(value, NAME_CHARACTERS) or ""


def _text(value: Any, limit: int) -> str | None:
    return clean_text(value if isinstance(value, bytes) else str(value).encode(), limit)

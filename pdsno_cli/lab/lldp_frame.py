"""The LLDP frame (IEEE 802.1AB) with which a lab's device announces itself on the link; pure."""

from __future__ import annotations

import ipaddress
import struct

from pdsno_cli.lab.frames import ETH_LLDP
from pdsno_cli.lab.lldp_objects import description
from pdsno_cli.lab.models import chassis
from pdsno_cli.lab.plan import LabDevice

INTERVAL = 30.0  # seconds, msgTxInterval of the standard
TTL = 120  # seconds
_NEAREST_BRIDGE = bytes.fromhex("0180c200000e")
_CHASSIS, _PORT, _TTL, _NAME, _DESCRIPTION, _CAPABILITIES, _ADDRESS = 1, 2, 3, 5, 6, 7, 8
_MAC, _INTERFACE_NAME, _IPV4, _IF_INDEX = 4, 5, 1, 2
_MOST = 255  # bytes of a text
# The bits of LldpSystemCapabilitiesMap are those of the frame in reverse: other is the highest there.
_BITS = 8


def lldp_frame(device: LabDevice) -> bytes | None:
    """Return the frame of a device at its port towards the core; None if it speaks no LLDP."""
    frame = chassis(device.recording)
    if frame.model.capabilities is None:
        return None
    mac = device.port_mac(0x4C, first=0x02)
    port = frame.ports[frame.up - 1].name.encode()
    flags = int(f"{frame.model.capabilities:0{_BITS}b}"[::-1], 2)
    address = ipaddress.IPv4Address(device.address).packed
    management = bytes((5, _IPV4)) + address + struct.pack("!BIB", _IF_INDEX, frame.managed, 0)
    return (
        _NEAREST_BRIDGE
        + mac
        + ETH_LLDP.to_bytes(2, "big")
        + _tlv(_CHASSIS, bytes((_MAC,)) + mac)
        + _tlv(_PORT, bytes((_INTERFACE_NAME,)) + port)
        + _tlv(_TTL, TTL.to_bytes(2, "big"))
        + _tlv(_NAME, device.sys_name.encode()[:_MOST])
        + _tlv(_DESCRIPTION, description(device)[:_MOST])
        + _tlv(_CAPABILITIES, struct.pack("!HH", flags, flags))
        + _tlv(_ADDRESS, management)
        + bytes(2)
    )


def _tlv(kind: int, value: bytes) -> bytes:
    return (kind << 9 | len(value)).to_bytes(2, "big") + value

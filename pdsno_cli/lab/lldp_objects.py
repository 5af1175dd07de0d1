"""LLDP-MIB (IEEE 802.1AB) of one lab device: itself, its ports and its neighbours."""

from __future__ import annotations

import ipaddress
from functools import cache

from pdsno_cli.lab.ber import Oid, number, object_id, octets
from pdsno_cli.lab.layout import chassis_of
from pdsno_cli.lab.models import Chassis, chassis
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import LabDevice

LLDP: Oid = (1, 0, 8802, 1, 1, 2, 1)
_LOCAL: Oid = (*LLDP, 3)
_PORT, _LOCAL_ADDRESS = (*_LOCAL, 7, 1), (*_LOCAL, 8, 1)
_REMOTE, _REMOTE_ADDRESS = (*LLDP, 4, 1, 1), (*LLDP, 4, 2, 1)
_MAC_ADDRESS = 4  # LldpChassisIdSubtype
_PORT_MAC, _INTERFACE_NAME = 3, 5  # LldpPortIdSubtype
_IF_INDEX = 2  # ManAddrIfSubtype
_IPV4 = 1  # AddressFamilyNumbers
_SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
_HEARD_AT = 0  # lldpRemTimeMark


def lldp_objects(device: LabDevice, network: Network) -> dict[Oid, bytes]:
    """Return the objects of a device; none of one that speaks no LLDP."""
    frame = chassis(device.recording)
    capabilities = frame.model.capabilities
    if capabilities is None:
        return {}
    found = dict(_ports(device.recording))
    if frame.model.mac_ports:
        for at, port in enumerate(frame.ports, 1):
            if port.wired:
                found[*_PORT, 2, at], found[*_PORT, 3, at] = _port_id(device, frame, at)
    found |= {
        (*_LOCAL, 1, 0): number(_MAC_ADDRESS),
        (*_LOCAL, 2, 0): octets(device.port_mac(0x4C, first=0x02)),
        (*_LOCAL, 3, 0): octets(device.sys_name.encode()),
        (*_LOCAL, 4, 0): octets(description(device)),
        (*_LOCAL, 5, 0): _bits(capabilities),
        (*_LOCAL, 6, 0): _bits(capabilities),
    }
    own = ipaddress.IPv4Address(device.address).packed
    for column, value in ((3, 5), (4, _IF_INDEX), (5, frame.managed)):
        found[*_LOCAL_ADDRESS, column, _IPV4, 4, *own] = number(value)
    found[*_LOCAL_ADDRESS, 6, _IPV4, 4, *own] = object_id((0, 0))
    for row, cable in enumerate(network.cables(device), 1):
        peer, other = network.now(cable.peer), chassis_of(cable.peer)
        if other is not None and other.model.capabilities is not None:
            index = (_HEARD_AT, cable.port, row)
            found |= _neighbour(peer, other, cable.peer_port, index)
    return found


def _neighbour(peer: LabDevice, frame: Chassis, port: int, index: Oid) -> dict[Oid, bytes]:
    assert frame.model.capabilities is not None  # it speaks LLDP
    subtype, identifier = _port_id(peer, frame, port)
    columns = (
        (4, number(_MAC_ADDRESS)),
        (5, octets(peer.port_mac(0x4C, first=0x02))),
        (6, subtype),
        (7, identifier),
        (8, octets(frame.ports[port - 1].name.encode())),
        (9, octets(peer.sys_name.encode())),
        (10, octets(description(peer))),
        (11, _bits(frame.model.capabilities)),
        (12, _bits(frame.model.capabilities)),
    )
    found = {(*_REMOTE, column, *index): value for column, value in columns}
    address = ipaddress.IPv4Address(peer.address).packed
    for column, value in ((3, _IF_INDEX), (4, frame.managed)):
        found[*_REMOTE_ADDRESS, column, *index, _IPV4, 4, *address] = number(value)
    found[*_REMOTE_ADDRESS, 5, *index, _IPV4, 4, *address] = object_id((0, 0))
    return found


def _port_id(device: LabDevice, frame: Chassis, index: int) -> tuple[bytes, bytes]:
    """Return the subtype and the identifier of a port: its name, or its MAC as Linux hosts have it."""
    if frame.model.mac_ports:
        # The first port, which has the cable, has the MAC of the device.
        first = index == frame.up
        mac = device.port_mac(0x4C, first=0x02) if first else device.port_mac(index)
        return number(_PORT_MAC), octets(mac)
    return number(_INTERFACE_NAME), octets(frame.ports[index - 1].name.encode())


@cache
def _ports(recording: str) -> dict[Oid, bytes]:
    found = {}
    for index, port in enumerate(chassis(recording).ports, 1):
        if port.wired:
            found[*_PORT, 2, index] = number(_INTERFACE_NAME)
            found[*_PORT, 3, index] = octets(port.name.encode())
            found[*_PORT, 4, index] = octets(port.name.encode())
    return found


def description(device: LabDevice) -> bytes:
    """Return the sysDescr of a device."""
    recording = chassis(device.recording).recording
    _, text = recording.objects[_SYS_DESCR]
    return text.replace(recording.hostname.encode(), device.sys_name.encode())


def _bits(value: int) -> bytes:
    return octets(bytes((value,)))

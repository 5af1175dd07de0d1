"""BRIDGE-MIB and Q-BRIDGE-MIB (RFC 4188, RFC 4363) of one lab switch: VLANs and learned stations."""

from __future__ import annotations

from collections import defaultdict

from pdsno_cli.lab.ber import GAUGE, Oid, number, octets
from pdsno_cli.lab.layout import vlan_of
from pdsno_cli.lab.models import MANAGEMENT, VLANS, chassis
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import LabDevice

BRIDGE: Oid = (1, 3, 6, 1, 2, 1, 17)
_BASE_PORT, _FDB = (*BRIDGE, 1, 4, 1), (*BRIDGE, 4, 3, 1)
_VLANS: Oid = (*BRIDGE, 7, 1)
_Q_FDB, _CURRENT = (*_VLANS, 2, 2, 1), (*_VLANS, 4, 2, 1)
_STATIC, _PORT_VLAN = (*_VLANS, 4, 3, 1), (*_VLANS, 4, 5, 1)
_TRANSPARENT, _LEARNED, _PERMANENT, _ACTIVE = 2, 3, 2, 1
MAX_STATIONS = 4096  # learned by one switch


def bridge_objects(device: LabDevice, network: Network) -> dict[Oid, bytes]:
    """Return the objects of a switch; a bridge port's number is its ifIndex."""
    frame = chassis(device.recording)
    wired = [index for index, port in enumerate(frame.ports, 1) if port.wired]
    vlans = {cable.port: vlan_of(cable.peer) for cable in network.cables(device) if cable.down}
    found = {
        (*BRIDGE, 1, 1, 0): octets(device.port_mac(0x4C, first=0x02)),
        (*BRIDGE, 1, 2, 0): number(len(wired)),
        (*BRIDGE, 1, 3, 0): number(_TRANSPARENT),
        (*_VLANS, 1, 1, 0): number(1),
        (*_VLANS, 1, 4, 0): number(len(VLANS) + 1, GAUGE),
    }
    members: dict[int, list[int]] = defaultdict(list)  # untagged
    for index in wired:
        vlan = vlans.get(index, 1)
        members[vlan].append(index)
        found[*_BASE_PORT, 1, index] = number(index)
        found[*_BASE_PORT, 2, index] = number(index)
        found[*_PORT_VLAN, 1, index] = number(vlan, GAUGE)
    for vlan, name in {1: "default", **VLANS}.items():
        untagged = _port_list(members[vlan])
        egress = _port_list([*members[vlan], *({frame.up} if vlan != 1 else ())])
        current = (0, vlan)  # dot1qVlanTimeMark
        found |= {
            (*_CURRENT, 3, *current): number(vlan, GAUGE),
            (*_CURRENT, 4, *current): egress,
            (*_CURRENT, 5, *current): untagged,
            (*_CURRENT, 6, *current): number(_PERMANENT),
            (*_STATIC, 1, vlan): octets(name.encode()),
            (*_STATIC, 2, vlan): egress,
            (*_STATIC, 4, vlan): untagged,
            (*_STATIC, 5, vlan): number(_ACTIVE),
        }
    for number_, (mac, port, vlan) in enumerate(_stations(device, network)):
        if number_ == MAX_STATIONS:
            break
        found[*_FDB, 1, *mac] = octets(mac)
        found[*_FDB, 2, *mac] = number(port)
        found[*_FDB, 3, *mac] = number(_LEARNED)
        found[*_Q_FDB, 2, vlan, *mac] = number(port)
        found[*_Q_FDB, 3, vlan, *mac] = number(_LEARNED)
    return found


def _stations(device: LabDevice, network: Network) -> list[tuple[bytes, int, int]]:
    """Return MAC, port and VLAN of what a switch has learned: below each port, and above it."""
    found = []
    for cable in network.cables(device):
        beyond = [cable.peer, *(network.behind(cable.peer) if cable.down else ())]
        for item in beyond:
            bridge = bool(item.recording) and chassis(item.recording).model.bridge
            vlan = vlan_of(item) if cable.down and not bridge else MANAGEMENT
            found.append((item.port_mac(0x4C, first=0x02), cable.port, vlan))
    return found


def _port_list(ports: list[int]) -> bytes:
    """Return a PortList: bit 1 of the first octet, its highest, is port 1."""
    bits = bytearray((max(ports, default=0) + 7) // 8)
    for port in ports:
        bits[(port - 1) // 8] |= 0x80 >> (port - 1) % 8
    return octets(bytes(bits))

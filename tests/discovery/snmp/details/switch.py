"""The objects of an invented switch, and its details; written from the MIBs, not from the code."""

from __future__ import annotations

from ipaddress import IPv4Address

from pysnmp.proto.api import v2c

from pdsno_cli.model.details import Detail, Interface, Neighbour, Station, Vlan

IF = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IFX = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IP = (1, 3, 6, 1, 2, 1, 4)
BRIDGE = (1, 3, 6, 1, 2, 1, 17)
LLDP = (1, 0, 8802, 1, 1, 2, 1)
CDP = (1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1)
IF_CHANGED = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)
LLDP_CHANGED = (*LLDP, 2, 1, 0)

SYSTEM = {
    (1, 3, 6, 1, 2, 1, 1, 1, 0): "Invented switch, version 1.2.3",
    (1, 3, 6, 1, 2, 1, 1, 2, 0): (1, 3, 6, 1, 4, 1, 99999, 1),
    (1, 3, 6, 1, 2, 1, 1, 3, 0): v2c.TimeTicks(360000),
    (1, 3, 6, 1, 2, 1, 1, 5, 0): "sw-1",
}


def _interface(index, name, descr, mac, speed, states, alias=""):  # noqa: PLR0917 - a row
    return {
        (*IF, 1, index): index,
        (*IF, 2, index): descr,
        (*IF, 5, index): v2c.Gauge32(min(speed * 1_000_000, 2**32 - 1)),
        (*IF, 6, index): bytes.fromhex(mac.replace(":", "")),
        (*IF, 7, index): states[0],
        (*IF, 8, index): states[1],
        (*IFX, 1, index): name,
        (*IFX, 15, index): v2c.Gauge32(speed),
        (*IFX, 18, index): alias,
    }


OBJECTS = {
    **SYSTEM,
    **_interface(1, "Gi1/0/1", "GigabitEthernet1/0/1", "00:1b:54:aa:00:01", 1000, (1, 1), "uplink"),
    **_interface(2, "Gi1/0/2", "GigabitEthernet1/0/2", "00:1b:54:aa:00:02", 10, (2, 7)),
    **_interface(49, "Te1/1/1", "TenGigabitEthernet1/1/1", "00:1b:54:aa:00:31", 10000, (1, 1)),
    **_interface(200, "Vlan20", "Vlan20", "00:1b:54:aa:00:40", 0, (1, 1)),
    IF_CHANGED: v2c.TimeTicks(5000),
    # ipAddrTable; the first address stands in ipAddressTable, too, there without a prefix.
    (*IP, 20, 1, 2, 192, 0, 2, 1): 200,
    (*IP, 20, 1, 3, 192, 0, 2, 1): IPv4Address("255.255.255.192"),
    (*IP, 34, 1, 3, 1, 4, 192, 0, 2, 1): 200,
    (*IP, 34, 1, 5, 1, 4, 192, 0, 2, 1): (0, 0),
    (*IP, 34, 1, 3, 2, 16, 0x20, 1, 0xD, 0xB8, *[0] * 11, 1): 200,
    (*IP, 34, 1, 5, 2, 16, 0x20, 1, 0xD, 0xB8, *[0] * 11, 1): (
        *IP, 32, 1, 5, 200, 2, 16, 0x20, 1, 0xD, 0xB8, *[0] * 12, 64,
    ),
    # Bridge ports 1, 2 and 25 are the interfaces 1, 2 and 49.
    (*BRIDGE, 1, 4, 1, 2, 1): 1,
    (*BRIDGE, 1, 4, 1, 2, 2): 2,
    (*BRIDGE, 1, 4, 1, 2, 25): 49,
    (*BRIDGE, 7, 1, 4, 5, 1, 1, 1): v2c.Gauge32(1),
    (*BRIDGE, 7, 1, 4, 5, 1, 1, 2): v2c.Gauge32(20),
    (*BRIDGE, 7, 1, 4, 3, 1, 1, 1): "default",
    (*BRIDGE, 7, 1, 4, 3, 1, 1, 20): "office",
    (*BRIDGE, 7, 1, 4, 2, 1, 3, 0, 20): v2c.Gauge32(7),  # VLAN 20 learns in database 7
    (*BRIDGE, 7, 1, 4, 2, 1, 3, 0, 30): v2c.Gauge32(8),
    (*BRIDGE, 7, 1, 2, 2, 1, 2, 7, 0, 0x50, 0x56, 1, 2, 3): 2,
    (*BRIDGE, 7, 1, 2, 2, 1, 3, 7, 0, 0x50, 0x56, 1, 2, 3): 3,
    (*BRIDGE, 7, 1, 2, 2, 1, 2, 8, 0, 0x50, 0x56, 1, 2, 4): 25,
    (*BRIDGE, 7, 1, 2, 2, 1, 3, 8, 0, 0x50, 0x56, 1, 2, 4): 3,
    (*BRIDGE, 7, 1, 2, 2, 1, 2, 7, 0, 0x1B, 0x54, 0xAA, 0, 0): 0,
    (*BRIDGE, 7, 1, 2, 2, 1, 3, 7, 0, 0x1B, 0x54, 0xAA, 0, 0): 4,  # its own
    # LLDP: a switch behind port 1, a phone behind 2, a nameless one behind an unknown port.
    LLDP_CHANGED: v2c.TimeTicks(7000),
    (*LLDP, 3, 1, 0): 4,
    (*LLDP, 3, 2, 0): bytes.fromhex("001b54aa0000"),
    (*LLDP, 3, 7, 1, 2, 1): 5,
    (*LLDP, 3, 7, 1, 3, 1): "Gi1/0/1",
    (*LLDP, 3, 7, 1, 2, 2): 3,
    (*LLDP, 3, 7, 1, 3, 2): bytes.fromhex("001b54aa0002"),
    **{
        (*LLDP, 4, 1, 1, column, *index): item
        for index, row in {
            (9000, 1, 1): {4: 4, 5: bytes.fromhex("00aabbccdd01"), 6: 5, 7: "Gi0/24", 8: "to sw-1",
                           9: "core-1", 10: "Core switch", 11: b"\x28\x00", 12: b"\x28\x00"},
            (9100, 2, 1): {4: 5, 5: b"\x01\xc0\x00\x02\x33", 6: 3, 7: bytes.fromhex("00aabbccdd02"),
                           9: "", 10: "A phone", 11: b"\x24", 12: b"\x04"},
            (9200, 77, 4): {4: 7, 5: b"\x00\xff\x10", 6: 7, 7: b"Stra\xdfe 3\r\n", 9: b"B\xfcro"},
        }.items()
        for column, item in row.items()
    },
    (*LLDP, 4, 2, 1, 3, 9000, 1, 1, 1, 4, 192, 0, 2, 9): 2,
    (*LLDP, 4, 2, 1, 3, 9000, 1, 1, 2, 16, 0xFE, 0x80, *[0] * 13, 1): 2,
    (*LLDP, 4, 2, 1, 3, 9100, 2, 1, 1, 192, 0, 2, 51): 2,  # some agents leave out the length
    (*CDP, 3, 49, 2): 1,
    (*CDP, 4, 49, 2): bytes((192, 0, 2, 77)),
    (*CDP, 6, 49, 2): "edge-7.example.net",
    (*CDP, 7, 49, 2): "GigabitEthernet0/0",
    (*CDP, 8, 49, 2): "cisco ISR4331/K9",
    (*CDP, 9, 49, 2): bytes((0, 0, 2, 0x29)),
}  # fmt: skip

DETAIL = Detail(
    chassis="00:1b:54:aa:00:00",
    interfaces=(
        Interface(index=1, name="Gi1/0/1", alias="uplink", mac="00:1b:54:aa:00:01", speed=1000,
                  admin="up", state="up", vlan=1),
        Interface(index=2, name="Gi1/0/2", mac="00:1b:54:aa:00:02", speed=10, admin="down",
                  state="lower-layer-down", vlan=20),
        Interface(index=49, name="Te1/1/1", mac="00:1b:54:aa:00:31", speed=10000, admin="up", state="up"),
        Interface(index=200, name="Vlan20", mac="00:1b:54:aa:00:40", admin="up", state="up",
                  addresses=("192.0.2.1/26", "2001:db8::1/64")),
    ),
    neighbours=(
        Neighbour(interface="Gi1/0/1", protocol="lldp", chassis="00:aa:bb:cc:dd:01", port="Gi0/24",
                  port_description="to sw-1", name="core-1", description="Core switch", address="192.0.2.9",
                  capabilities=("bridge", "router")),
        Neighbour(interface="Gi1/0/2", protocol="lldp", chassis="192.0.2.51", port="00:aa:bb:cc:dd:02",
                  description="A phone", address="192.0.2.51", capabilities=("telephone",)),
        Neighbour(interface="Te1/1/1", protocol="cdp", chassis="edge-7.example.net",
                  port="GigabitEthernet0/0", name="edge-7.example.net", description="cisco ISR4331/K9",
                  address="192.0.2.77", capabilities=("router", "bridge")),
        Neighbour(interface="port 77", protocol="lldp", chassis="00:ff:10", port="Straße 3", name="Büro"),
    ),
    vlans=(Vlan(id=1, name="default"), Vlan(id=20, name="office"), Vlan(id=30)),
)  # fmt: skip

STATIONS = (
    Station(mac="00:50:56:01:02:03", interface="Gi1/0/2", vlan=20),
    Station(mac="00:50:56:01:02:04", interface="Te1/1/1", vlan=30),
)

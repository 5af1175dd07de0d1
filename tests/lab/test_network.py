"""Whether what the devices of a lab say of each other agrees, as an LLDP or FDB collector reads it."""

from __future__ import annotations

import pytest

from pdsno_cli.lab import ber
from pdsno_cli.lab.layout import chassis_of
from pdsno_cli.lab.mib import build
from pdsno_cli.lab.models import chassis
from pdsno_cli.lab.network import Network
from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.model.targets import expand

REMOTE = (1, 0, 8802, 1, 1, 2, 1, 4, 1, 1)
LOCAL_PORT_ID = (1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 3)
LOCAL_CHASSIS = (1, 0, 8802, 1, 1, 2, 1, 3, 2, 0)
Q_FDB_PORT = (1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 2)
BASE_PORT_IF_INDEX = (1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2)
OPER_STATUS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)


@pytest.fixture(scope="module")
def zone():
    segments = [
        Segment(targets=expand(["127.77.1.1-127.77.1.30"])),
        Segment(targets=expand(["127.77.2.1-127.77.2.23"])),
    ]
    return plan(segments, devices=53, snmp=25)


def objects(device, network):
    mib = build(device, network)
    return dict(zip(mib.oids, mib.values, strict=True))


def below(found, column):
    return {
        oid[len(column) :]: value for oid, value in found.items() if oid[: len(column)] == column
    }


def neighbours(found):
    """Return (own port's name, neighbour's chassis id, neighbour's port id) of a device's tables."""
    chassis_ids, ports = below(found, (*REMOTE, 5)), below(found, (*REMOTE, 7))
    return {
        (found[*LOCAL_PORT_ID, index[1]], chassis_ids[index], ports[index]) for index in chassis_ids
    }


def test_lldp_tells_each_link_at_both_ends(zone):
    network = Network(zone)
    tables = {device.address: objects(device, network) for device in zone if device.snmp}
    ends = set()
    for found in tables.values():
        if LOCAL_CHASSIS in found:
            own = found[LOCAL_CHASSIS]
            ends |= {(own, port, peer, there) for port, peer, there in neighbours(found)}
    assert ends == {(peer, there, own, port) for own, port, peer, there in ends}
    assert len(ends) // 2 >= 17  # core, distribution and access, and what speaks LLDP below them


def test_the_router_sees_the_core_switch_of_each_segment(zone):
    network = Network(zone)
    router = zone[0]
    assert chassis(router.recording).model.place == "router"
    names = below(objects(router, network), (*REMOTE, 9)).values()
    assert sorted(names) == [ber.octets(b"sw-core-03"), ber.octets(b"sw-core-32")]


def test_every_end_device_is_learned_at_the_port_it_is_plugged_into(zone):
    network = Network(zone)
    switches = [d for d in zone if d.snmp and chassis(d.recording).model.place == "access"]
    found_at = {}
    for switch in switches:
        found = objects(switch, network)
        down = {cable.port for cable in network.cables(switch) if cable.down}
        if_index = below(found, BASE_PORT_IF_INDEX)
        for (_, *mac), port in below(found, Q_FDB_PORT).items():
            number = port[-1]
            assert if_index[number,] == port
            if number in down:
                found_at[bytes(mac).hex(":")] = (switch.address, number)
                assert found[*OPER_STATUS, number] == ber.number(1)
    desks = [d for d in zone if not d.snmp or chassis(d.recording).model.place == "desk"]
    assert set(found_at) == {device.mac for device in desks}
    for device in desks:
        (cable,) = network.cables(device)
        assert found_at[device.mac] == (cable.peer.address, cable.peer_port)
    assert len(set(found_at.values())) == len(desks)  # a port each, in a lab of this size


def test_a_removed_device_is_gone_from_its_switch_and_back_at_the_same_port(zone):
    network = Network(zone)
    device = next(d for d in zone if not d.snmp)
    (cable,) = network.cables(device)
    key = tuple(bytes.fromhex(device.mac.replace(":", "")))

    def learned():
        found = below(objects(cable.peer, network), Q_FDB_PORT)
        return {mac: port for (_, *mac), port in found.items() for mac in [tuple(mac)]}.get(key)

    planned = {d.address: d for d in zone}
    assert learned() == ber.number(cable.peer_port)
    network.change({a: d for a, d in planned.items() if d is not device}, planned)
    assert learned() is None
    network.change(planned, planned)
    assert learned() == ber.number(cable.peer_port)


@pytest.mark.parametrize("snmp", [1, 2, 3, 5, 300])
def test_any_lab_has_cables_to_ports_that_exist(snmp):
    segments = [Segment(targets=expand([f"127.78.{n}.1-127.78.{n}.250"])) for n in range(6)]
    devices = plan(segments, devices=1500, snmp=snmp)
    network = Network(devices)
    for device in devices:
        frame = chassis_of(device)
        for cable in network.cables(device):
            assert frame is None or 1 <= cable.port <= len(frame.ports)
            back = [c for c in network.cables(cable.peer) if c.peer == device]
            assert [(c.port, c.peer_port, c.down) for c in back] == [
                (cable.peer_port, cable.port, not cable.down)
            ]

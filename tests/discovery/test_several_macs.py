"""One device with several MACs: joined by what its agent says, and parted when that was wrong."""

from __future__ import annotations

from pdsno_cli.discovery.changes import decide
from pdsno_cli.discovery.mac_sets import with_interface_macs
from pdsno_cli.discovery.merge import merge
from pdsno_cli.model.details import Detail, Interface
from pdsno_cli.model.devices import ProbeResult

A, B, C = "10.0.0.1", "10.0.1.1", "10.0.2.1"
M1, M2, M3 = (f"02:00:00:00:00:0{n}" for n in (1, 2, 3))
PROBES = tuple(
    ProbeResult(protocol=name, targets=9, answers=1, seconds=0.1)
    for name in ("arp", "icmp", "snmp")
)


def agent(name="core", engine="8000000001", **more):
    return {"sys_name": name, "sys_descr": "Router", "engine_id": engine, **more}


class Network:
    """Cycles of a local controller: what ARP and SNMP answer at each address."""

    def __init__(self):
        self.known = {}

    def cycle(self, arp, snmp):
        answers = {
            "arp": {address: {"mac": mac} for address, mac in arp.items()},
            "snmp": snmp,
        }
        changes = decide(self.known, merge(answers), probes=PROBES, missed_cycles=3)
        self.known = changes.known
        return changes

    @property
    def devices(self):
        return sorted(
            (item.device.mac, item.device.addresses) for item in self.known.values() if item.active
        )


def test_addresses_with_one_engine_are_one_device_whatever_their_macs():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    assert network.devices == [(M1, (A, B))]


def test_addresses_with_one_vendor_and_serial_are_one_device():
    network = Network()
    one = {"sys_name": "core", "vendor": "Cisco", "serial": "FOC1"}
    network.cycle({A: M1, B: M2}, {A: one, B: one})
    assert network.devices == [(M1, (A, B))]


def test_a_sign_under_two_names_identifies_nobody():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: agent("one"), B: agent("two")})
    assert len(network.devices) == 2


def test_a_serial_without_a_name_or_vendor_is_no_sign():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: {"serial": "1"}, B: {"serial": "1"}})
    assert len(network.devices) == 2


def test_one_device_stays_one_while_its_agent_is_silent():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    for _ in range(2):
        changes = network.cycle({A: M1, B: M2}, {})
        assert (changes.new, changes.inactive) == ((), ())
    assert network.devices == [(M1, (A, B))]


def test_the_first_mac_stays_when_only_an_alias_answers():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    changes = network.cycle({B: M2}, {B: agent()})
    assert network.devices == [(M1, (A, B))]
    assert not changes.history
    network.cycle({A: M1, B: M2, C: M3}, {A: agent(), B: agent(), C: agent()})
    assert network.devices == [(M1, (A, B, C))]


def test_devices_that_were_joined_wrongly_are_parted():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    changes = network.cycle({A: M1, B: M2}, {A: agent(), B: agent("edge", engine="8000000002")})
    assert network.devices == [(M1, (A,)), (M2, (B,))]
    assert [device.mac for device in changes.new] == [M2]
    assert not any(item.aliases for item in network.known.values())
    network.cycle({A: M1, B: M2}, {})
    assert network.devices == [(M1, (A,)), (M2, (B,))]


def test_devices_that_turn_out_to_be_one_are_joined():
    network = Network()
    network.cycle({A: M1, B: M2}, {})
    assert len(network.devices) == 2
    network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    for _ in range(3):
        network.cycle({A: M1, B: M2}, {A: agent(), B: agent()})
    assert network.devices == [(M1, (A, B))]


def test_an_address_that_several_devices_share_is_nobodys_alone():
    network = Network()
    virtual = "10.0.0.254"
    routers = {A: agent("one", "8000000001"), B: agent("two", "8000000002")}
    for active in (A, B):
        answers = {
            "arp": {A: {"mac": M1}, B: {"mac": M2}, virtual: {"shared": "a virtual MAC"}},
            "snmp": {**routers, virtual: {**routers[active], "mac": M1}},
        }
        changes = decide(network.known, merge(answers), probes=PROBES, missed_cycles=3)
        network.known = changes.known
    assert not changes.history
    found = {item.device.addresses: item.device for item in network.known.values()}
    assert set(found) == {(A,), (B,), (virtual,)}
    assert found[virtual,].extra == {"shared": "a virtual MAC"}
    assert found[virtual,].sys_name is None


def interfaces(*macs):
    return Detail(
        interfaces=tuple(Interface(index=n, name=f"p{n}", mac=m) for n, m in enumerate(macs))
    )


def test_an_address_with_the_mac_of_an_interface_is_that_device_once_its_interfaces_are_read():
    network = Network()
    quiet = {"sys_name": "core"}
    network.cycle({A: M1, B: M2}, {A: quiet})
    assert len(network.devices) == 2
    network.known = with_interface_macs(network.known, {f"mac:{M1}": interfaces(M1, M2, M3)})
    changes = network.cycle({A: M1, B: M2}, {A: quiet})
    assert network.devices == [(M1, (A, B))]
    assert changes.inactive == (f"mac:{M2}",)
    for _ in range(2):
        changes = network.cycle({A: M1, B: M2}, {})
        assert not changes.history
    assert network.devices == [(M1, (A, B))]


def test_the_mac_of_an_interface_does_not_join_an_agent_of_another_name():
    network = Network()
    network.cycle({A: M1, B: M2}, {A: {"sys_name": "host"}, B: {"sys_name": "guest"}})
    before = network.known
    network.known = with_interface_macs(before, {f"mac:{M1}": interfaces(M1, M2)})
    assert network.known == before

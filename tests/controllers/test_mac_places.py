"""What it means that a MAC is at several local controllers."""

from __future__ import annotations

from pdsno_cli.controllers.mac_places import mac_events
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import RegionDevice

MAC = "02:00:00:00:00:01"


def at(local_id, address, **fields):
    device = Device(
        device_id=f"mac:{MAC}", addresses=(address,), protocols=("arp",), mac=MAC, **fields
    )
    return RegionDevice(local_id=local_id, device=device)


def events(arrived, *, present=(), absent=()):
    found = mac_events([arrived], {MAC: [arrived, *present]}, {MAC: absent}, "r")
    return [(event.event, event.detail) for event in found]


def test_a_mac_that_is_present_at_another_local_is_a_conflict():
    assert events(at("a", "10.0.0.1"), present=[at("b", "10.0.1.1")]) == [
        ("mac_at_two_locals", {"controllers": ["a", "b"], "addresses": ["10.0.0.1", "10.0.1.1"]})
    ]


def test_one_device_that_two_locals_reach_is_no_conflict():
    same = {"sys_name": "core", "sys_object_id": "1.3.6.1.4.1.9.1.1"}
    assert events(at("a", "10.0.0.1", **same), present=[at("b", "10.0.1.1", **same)]) == []
    serial = {"extra": {"serial": "FOC1"}}
    assert events(at("a", "10.0.0.1", **serial), present=[at("b", "10.0.1.1", **serial)]) == []


def test_a_mac_that_is_gone_from_another_local_has_moved():
    assert events(at("a", "10.0.0.1"), absent=[at("b", "10.0.1.1")]) == [
        ("device_moved", {"from": ["b"], "to": "a", "address": "10.0.0.1"})
    ]


def test_a_mac_of_this_local_alone_is_no_event():
    assert events(at("a", "10.0.0.1"), absent=[at("a", "10.0.0.9")]) == []

"""Which device is meant by an address, a MAC, a name or an id, in an inventory and in a map."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from pdsno_cli.client.find_device import find_node, find_record
from pdsno_cli.discovery.physical.links import physical_map
from pdsno_cli.model.errors import UsageError
from tests.cli.device_formats.samples import record
from tests.discovery.physical.network import found, lldp, mac

KNOWN = [
    record("10.0.0.1", "core.example.net"),
    record("10.0.0.2", "edge"),
    record("10.0.0.3"),
    record("10.0.0.4", "twin"),
    record("10.0.0.5", "twin", local="lc2"),
    record("10.0.0.2", "old", active=False),
    record("fd00:1::9"),
    record("1234:5678:9abc::", local="lc3"),
]


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("core", "10.0.0.1"),
        ("Core.Example.NET", "10.0.0.1"),
        ("ip:10.0.0.3", "10.0.0.3"),
        ("10.0.0.2", "10.0.0.2"),
        ("old", "10.0.0.2"),
        ("fd00:1::9", "fd00:1::9"),
        ("FD00:0001:0::0009", "fd00:1::9"),
        ("ip:fd00:1::9", "fd00:1::9"),
        ("1234:5678:9abc::", "1234:5678:9abc::"),  # not a MAC
    ],
)
def test_a_record_is_found_by_address_name_and_id(wanted, address):
    assert find_record(KNOWN, wanted).device.addresses == (address,)


def test_the_active_device_at_an_address_is_preferred():
    assert find_record(KNOWN, "10.0.0.2").device.sys_name == "edge"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("egde", "no device 'egde': did you mean 'edge'?"),
        ("nothing-like-it", "no device 'nothing-like-it': pdsno devices --all shows them"),
        ("twin", "2 devices are 'twin': 10.0.0.4 (lc1), 10.0.0.5 (lc2); name another"),
        ("02:00:00:00:00:01", "7 devices are '02:00:00:00:00:01'"),
    ],
)
def test_none_or_several_is_one_line(wanted, said):
    with pytest.raises(UsageError) as caught:
        find_record(KNOWN, wanted)
    assert said in str(caught.value)


MAP = physical_map(
    [
        found(1, lldp("p1", mac(50), "x", name="Phone.lan", address="10.0.0.50")),
        found(2, interfaces=[("uplink", mac(99))]),
        found(3, local="lc2"),
    ]
)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("10.0.0.1", "d1"),
        ("D2", "d2"),
        (mac(99), "d2"),
        (f"mac:{mac(3)}", "d3"),
        ("phone", "Phone.lan"),
        ("10.0.0.50", "Phone.lan"),
    ],
)
def test_a_node_is_found_by_all_that_an_inventory_has_and_by_its_interfaces(wanted, name):
    assert find_node(MAP, wanted).name == name


def test_a_mac_of_no_device_or_of_two_is_left_to_forwarding_tables():
    assert find_node(MAP, mac(77)) is None
    two = [found(6, interfaces=[("a", mac(98))]), found(7, interfaces=[("b", mac(98))])]
    assert find_node(physical_map(two), mac(98)) is None


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("phone.lam", "no device 'phone.lam': did you mean 'Phone.lan'?"),
        ("zzz", "no device 'zzz': pdsno devices --all shows them"),
    ],
)
def test_no_node_is_one_line(wanted, said):
    with pytest.raises(UsageError) as caught:
        find_node(MAP, wanted)
    assert str(caught.value) == said


def test_one_address_in_two_regions_is_not_guessed():
    other = found(5, local="lc2")
    device = msgspec.structs.replace(other.device, addresses=("10.0.0.4",))
    map_ = physical_map([found(4), replace(other, device=device)])
    assert find_node(map_, "d5").name == "d5"
    with pytest.raises(UsageError) as caught:
        find_node(map_, "10.0.0.4")
    assert str(caught.value) == (
        "2 devices are '10.0.0.4': 10.0.0.4 (lc), 10.0.0.4 (lc2); name another of their addresses, "
        "the device id, or a region with --region"
    )

"""Which targets ARP can ask."""

from __future__ import annotations

import ipaddress

from pdsno_cli.discovery.onlink import (
    Route,
    assign,
    on_link,
    parse_own,
    parse_routes,
    unusable,
)
from pdsno_cli.model.targets import AddressSet

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t8000000A\t0900000A\t0003\t0\t0\t0\t80FFFFFF\t0\t0\t0
eth1\t0001A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""  # the kernel's form on a little-endian machine


FIB = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 10.0.0.0
        /24 link UNICAST
     |-- 10.0.0.7
        /32 host LOCAL
     |-- 10.0.0.255
        /32 link BROADCAST
     |-- 127.0.0.0
        /8 host LOCAL
"""


def by_interface(targets):
    found = assign(AddressSet.of(targets), parse_routes(ROUTES))
    return {
        name: [address for _, part in parts for address in part] for name, parts in found.items()
    }


def test_assign_takes_the_most_specific_route():
    assert by_interface(["10.0.0.5", "10.0.0.200", "172.16.0.1"]) == {"eth0": ["10.0.0.5"]}


def test_assign_cuts_a_range_where_routes_do():
    assert by_interface(["10.0.0.126-10.0.0.130"]) == {"eth0": ["10.0.0.126", "10.0.0.127"]}


def test_assign_leaves_out_loopback_and_routes_that_are_down():
    assert by_interface(["127.0.0.1", "192.168.1.9"]) == {}


def test_parse_own_knows_addresses_of_this_machine_and_broadcasts():
    own, broadcast = parse_own(FIB)
    assert own == {int(ipaddress.IPv4Address("10.0.0.7"))}
    assert broadcast == {int(ipaddress.IPv4Address("10.0.0.255"))}


def test_unusable_are_both_ends_of_a_link_and_its_broadcast_address():
    routes = [route for route in parse_routes(ROUTES) if route.interface == "eth0"]
    other = int(ipaddress.IPv4Address("10.0.0.63"))
    assert list(unusable(routes, [other])) == ["10.0.0.0", "10.0.0.63", "10.0.0.255"]


def test_unusable_of_point_to_point_links_is_empty():
    first = int(ipaddress.IPv4Address("10.0.0.0"))
    links = [Route(interface="p", first=first, last=first + more, on_link=True) for more in (0, 1)]
    assert not unusable(links, [])


def test_on_link_of_loopback_targets_is_empty():
    assert on_link(["127.101.0.1", "127.101.0.2"]) == {}


def test_on_link_of_a_prefix_of_65536_is_quick_and_leaves_out_the_machine_itself(in_namespace):
    code = """
import json, time
from pdsno_cli.discovery.onlink import on_link
started = time.process_time()
link = on_link(["10.101.0.0-10.101.255.255"])["near0"]
seconds = time.process_time() - started
print(json.dumps([len(link.targets), "10.101.0.1" in link.targets, link.source(0x0A650005),
    seconds < 0.2]))
"""
    near = "ip addr add 10.101.0.1/16 brd + dev near0"
    assert in_namespace(code, near=near) == [65533, False, "10.101.0.1", True]

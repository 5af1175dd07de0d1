"""Which targets ARP can ask."""

from __future__ import annotations

from pdsno_cli.discovery.onlink import assign, on_link, parse_routes

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t8000000A\t0900000A\t0003\t0\t0\t0\t80FFFFFF\t0\t0\t0
eth1\t0001A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""  # the kernel's form on a little-endian machine


def test_assign_takes_the_most_specific_route():
    targets = ["10.0.0.5", "10.0.0.200", "172.16.0.1"]
    assert assign(targets, parse_routes(ROUTES)) == {"eth0": ["10.0.0.5"]}


def test_assign_leaves_out_loopback_and_routes_that_are_down():
    assert assign(["127.0.0.1", "192.168.1.9"], parse_routes(ROUTES)) == {}


def test_on_link_of_loopback_targets_is_empty():
    assert on_link(["127.101.0.1", "127.101.0.2"]) == {}

"""Sweeps without CAP_NET_RAW: what is used instead, step by step, and what each step says."""

from __future__ import annotations

NEAR = "ip addr add 10.101.0.1/24 dev near0"
PING = "; echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range"
HOSTS = {"first": "10.101.0.2", "count": 3}
MACS = [f"02:10:0a:65:00:0{n}" for n in (2, 3, 4)]
CODE = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
result = sweep(["10.101.0.2-10.101.0.9"], ["arp", "icmp", "snmp"], Snmp(timeout=0.3, retries=0))
print(json.dumps([
    [[p.targets, p.answers, p.error] for p in result.probes],
    [[o.mac, o.mac_source] for o in result.observations],
]))
"""
ARP = "needs CAP_NET_RAW (grant it: sudo setcap"
ICMP = "needs CAP_NET_RAW, or a group within the sysctl net.ipv4.ping_group_range (grant it: sudo"


def run(in_namespace, near, **hosts):
    probes, found = in_namespace(CODE, near=near, without="net_raw", hosts=HOSTS | hosts)
    return probes, found


def test_datagram_icmp_and_the_neighbour_table_stand_in_for_raw_sockets(in_namespace):
    (arp, icmp, snmp), found = run(in_namespace, NEAR + PING, snmp=False)
    assert arp[:2] == [8, 3]
    assert arp[2].startswith(ARP)
    assert icmp == [8, 3, None]
    assert snmp == [8, 0, None]
    assert found == [[mac, "arp"] for mac in MACS]


def test_snmp_and_the_neighbour_table_are_left_without_any_icmp_socket(in_namespace):
    (arp, icmp, snmp), found = run(in_namespace, NEAR)
    assert arp[:2] == [8, 3]
    assert arp[2].startswith(ARP)
    assert icmp[:2] == [8, 0]
    assert icmp[2].startswith(ICMP)
    assert snmp == [8, 3, None]
    assert found == [[mac, "arp"] for mac in MACS]


def test_neighbours_that_answered_nothing_are_no_devices(in_namespace):
    silent = ["10.101.0.2", "10.101.0.3", "10.101.0.4"]
    (arp, *_), found = run(in_namespace, NEAR + PING, silent=silent)
    assert arp[:2] == [8, 0]
    assert not found

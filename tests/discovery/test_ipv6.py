"""Sweeps of IPv6 targets with real packets, in network namespaces of the test's own."""

from __future__ import annotations

import pytest

NEAR = "ip -6 addr add fd00:1::1/64 dev near0 nodad; ip -6 route add fd00:9::/48 via fd00:1::2"
# Twelve hosts' addresses on the link, one of them with another network behind it.
PEER = """
ip link set far0 address 02:00:00:00:00:02
for n in 2 3 5 9 a b c 1f 20 21 22 2f; do ip -6 addr add fd00:1::$n/64 dev far0 nodad; done
for n in 1 2 3; do ip -6 addr add fd00:9::$n/128 dev lo nodad; done
"""
DATAGRAM = '; echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range'
MAC = "02:00:00:00:00:02"
SWEEP = """
import json, threading
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
result = sweep({targets}, {protocols}, Snmp(timeout=0.3, retries=1), {settings})
print(json.dumps([
    [[list(o.addresses), o.mac, list(o.protocols), o.sys_name] for o in result.observations],
    {{p.protocol: [p.targets, p.answers, p.error] for p in result.probes}},
    list(result.warnings),
]))
"""
ALL = ["arp", "icmp", "snmp"]


def code(targets, protocols=ALL, settings=""):
    return SWEEP.format(targets=targets, protocols=protocols, settings=settings)


def found(run, targets, **kwargs):
    """Return the addresses that a sweep by echo finds."""
    observations, probes, warnings = run(code(targets, ["icmp"]), **kwargs)
    assert probes["icmp"][2] is None
    assert not warnings
    return [a for addresses, *_ in observations for a in addresses]


@pytest.mark.parametrize("allow", ["", DATAGRAM])
@pytest.mark.parametrize(
    ("targets", "last"),
    [
        (["fd00:1::5"], ["5"]),
        (["fd00:1:0:0::0005-FD00:1::20"], ["5", "9", "a", "b", "c", "1f", "20"]),
        (["fd00:1::20/123"], ["21", "22", "2f"]),  # ::20 is its anycast address
        (["fd00:1::2/127", "fd00:1::9/128"], ["2", "3", "9"]),
    ],
)
def test_echo_finds_address_span_and_prefix(in_namespace, allow, targets, last):
    expected = [f"fd00:1::{n}" for n in last]
    assert found(in_namespace, targets, near=NEAR + allow, peer=PEER) == expected


def test_echo_is_sent_behind_routers_and_to_both_families_at_once(in_namespace):
    near = NEAR + "; ip addr add 10.101.0.1/24 dev near0"
    peer = PEER + "ip addr add 10.101.0.9/24 dev far0"
    targets = ["fd00:9::/120", "10.101.0.8/30", "127.0.0.5", "::1"]
    addresses = found(in_namespace, targets, near=near, peer=peer)
    assert addresses == ["10.101.0.9", "127.0.0.5", "::1", "fd00:9::1", "fd00:9::2", "fd00:9::3"]


def test_64_of_64_are_found_with_their_mac(in_namespace):
    peer = f"ip link set far0 address {MAC}\n" + "for n in $(seq 1 64); do ip -6 addr add "
    peer += "fd00:1::1:$n/64 dev far0 nodad; done"
    observations, probes, _ = in_namespace(
        code(["fd00:1::1:0/119"], ["icmp"]), near=NEAR, peer=peer
    )
    assert probes == {"icmp": [511, 64, None]}
    (device,) = observations  # one MAC is one device
    assert device[0] == sorted(
        (f"fd00:1::1:{n}" for n in range(1, 65)), key=lambda a: int(a[10:], 16)
    )
    assert device[1] == MAC


# One host of both families, which has an agent.
BOTH = """
ip link set far0 address 02:00:00:00:00:02
ip addr add 10.101.0.9/24 dev far0; ip -6 addr add fd00:1::9/64 dev far0 nodad
"""
TWO = NEAR + "; ip addr add 10.101.0.1/24 dev near0"


def test_dual_stack_device_is_one_and_silent_targets_are_not_asked_by_snmp(in_namespace):
    observations, probes, _ = in_namespace(
        code(["fd00:1::4-fd00:1::13", "10.101.0.8-10.101.0.10"]),
        near=TWO,
        peer=BOTH,
        hosts="agents",
    )
    assert [probes[name] for name in ALL] == [[3, 1, None], [17, 2, None], [2, 2, None]]
    assert observations == [[["10.101.0.9", "fd00:1::9"], MAC, ALL, "far-9"]]


@pytest.mark.parametrize("answering_only", [False, True])
def test_neighbour_that_does_not_answer_echo_is_asked_by_snmp(in_namespace, answering_only):
    """To send to it, the kernel has found its MAC: it is there."""
    silent = BOTH + "echo 1 > /proc/sys/net/ipv6/icmp/echo_ignore_all"
    observations, probes, _ = in_namespace(
        code(["fd00:1::4-fd00:1::13"], settings=f"answering_only={answering_only}"),
        near=TWO,
        peer=silent,
        hosts="agents",
    )
    assert [probes[name] for name in ALL] == [[0, 0, None], [16, 0, None], [1, 1, None]]
    assert [item[0] for item in observations] == [["fd00:1::9"]]


@pytest.mark.parametrize(("answering_only", "asked"), [(False, 7), (True, 3)])
def test_agents_behind_a_router_are_asked_as_it_is_declared(in_namespace, answering_only, asked):
    observations, probes, _ = in_namespace(
        code(["fd00:9::/125"], settings=f"answering_only={answering_only}"),
        near=NEAR,
        peer=PEER,
        hosts="agents",
    )
    assert [probes[name] for name in ALL] == [[0, 0, None], [7, 3, None], [asked, 3, None]]
    assert [item[3] for item in observations] == ["far-1", "far-2", "far-3"]


def test_target_behind_a_blackhole_is_skipped(in_namespace):
    near = NEAR + "; ip -6 route add blackhole fd00:8::/48; ip -6 route add prohibit fd00:6::/48"
    targets = ["fd00:1::5", "fd00:6::1", "fd00:8::1-fd00:8::9"]
    assert found(in_namespace, targets, near=near, peer=PEER) == ["fd00:1::5"]


def test_own_address_is_found_and_has_no_mac(in_namespace):
    observations, _, _ = in_namespace(code(["fd00:1::1"], ["icmp"]), near=NEAR, peer=PEER)
    assert observations == [[["fd00:1::1"], None, ["icmp"], None]]


def test_anycast_address_of_the_link_is_not_asked(in_namespace):
    _, probes, _ = in_namespace(code(["fd00:1::-fd00:1::2"], ["icmp"]), near=NEAR, peer=PEER)
    assert probes["icmp"] == [2, 2, None]


def test_virtual_router_is_a_device_of_its_own(in_namespace):
    """Its MAC is VRRP's (RFC 9568): several devices have it in turn."""
    peer = """
ip link set far0 address 00:00:5e:00:02:07
ip addr add 10.101.0.9/24 dev far0; ip -6 addr add fd00:1::9/64 dev far0 nodad
"""
    observations, _, _ = in_namespace(
        code(["fd00:1::8/126", "10.101.0.9"]), near=TWO, peer=peer, hosts="agents"
    )
    assert [item[:2] for item in observations] == [[["10.101.0.9"], None], [["fd00:1::9"], None]]
    assert [item[3] for item in observations] == [None, None]


def test_step_down_without_privilege_says_what_to_grant_and_snmp_goes_on(in_namespace):
    observations, probes, _ = in_namespace(
        code(["fd00:1::8/126"]), near=TWO, peer=BOTH, hosts="agents", without="net_raw"
    )
    assert probes["icmp"][:2] == [3, 0]
    assert "net.ipv4.ping_group_range" in probes["icmp"][2]
    assert probes["snmp"] == [3, 1, None]
    assert [item[3] for item in observations] == ["far-9"]


def test_machine_without_ipv6_finds_what_it_can(in_namespace):
    near = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip addr add 10.101.0.1/24 dev near0"
    observations, probes, _ = in_namespace(
        code(["fd00:1::8/126", "10.101.0.9"], ["icmp", "snmp"]),
        near=near,
        peer=BOTH,
        hosts="agents",
    )
    assert [item[0] for item in observations] == [["10.101.0.9"]]
    assert probes["icmp"] == [4, 1, None]


def test_details_are_read_over_ipv6(in_namespace):
    text = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Details, Snmp
result = sweep(["fd00:1::9"], ["icmp", "snmp"], Snmp(timeout=0.3, details=Details()))
print(json.dumps([[a, len(d.interfaces)] for a, d in result.details.items()]))
"""
    ((address, _),) = in_namespace(text, near=TWO, peer=BOTH, hosts="agents")
    assert address == "fd00:1::9"


# Twenty hosts with a MAC each.
HOSTS = {"first": "fd00:1::10", "count": 20}
TWENTY = [f"fd00:1::{n:x}" for n in range(16, 36)]


def mac_of(address):
    return f"02:10:00:00:00:{int(address.rpartition(':')[2], 16):02x}"


def test_hosts_are_found_with_their_macs_and_agents(in_namespace):
    observations, probes, _ = in_namespace(code(["fd00:1::/122"]), near=NEAR, hosts=HOSTS)
    assert [probes[name][:2] for name in ALL] == [[0, 0], [63, 21], [21, 20]]
    assert [item[:2] for item in observations] == [
        [["fd00:1::1"], None],
        *([[address], mac_of(address)] for address in TWENTY),
    ]


def test_hosts_are_found_although_requests_are_lost_and_late(in_namespace):
    hosts = HOSTS | {"loss": 0.05, "delay": 0.05, "jitter": 0.02}
    assert found(in_namespace, ["fd00:1::/122"], near=NEAR, hosts=hosts) == ["fd00:1::1", *TWENTY]

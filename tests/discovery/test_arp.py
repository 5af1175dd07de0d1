"""ARP with real frames in network namespaces of the test's own; scapy is the oracle of frames."""

from __future__ import annotations

import errno
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery.arp import Requests
from pdsno_cli.discovery.onlink import Link
from pdsno_cli.model.targets import AddressSet

NEAR = "ip addr add 10.101.0.1/24 dev near0; ip addr add 10.101.1.1/24 dev near0;"
PEER = """
sysctl -qw net.ipv4.conf.all.arp_ignore=1
ip addr add 10.101.1.7/24 dev far0
for n in 2 5 9; do
    ip link add m$n link far0 address 02:00:00:00:00:0$n type macvlan mode bridge
    ip addr add 10.101.0.$n/24 dev m$n; ip link set m$n up
done
ip addr add 10.101.0.19/24 dev m9
"""
CODE = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.model.targets import expand
from pdsno_cli.spec.topology import Snmp
targets = expand(["10.101.0.0/27", "10.101.1.7", "127.0.0.1", "198.51.100.1"])
result = sweep(targets, ["arp"], Snmp())
(probe,) = result.probes
found = [[list(o.addresses), o.mac, o.mac_source] for o in result.observations]
print(json.dumps([probe.targets, probe.answers, probe.error, found]))
"""


def test_sweep_learns_the_macs_of_a_link(in_namespace):
    targets, answers, error, found = in_namespace(CODE, near=NEAR, peer=PEER)
    # of 10.101.0.1-30 all but the machine's own address, and 10.101.1.7 on the second prefix
    assert (targets, answers, error) == (30, 5, None)
    far = found.pop()
    assert far[0] == ["10.101.1.7"]
    assert found == [
        [["10.101.0.2"], "02:00:00:00:00:02", "arp"],
        [["10.101.0.5"], "02:00:00:00:00:05", "arp"],
        [["10.101.0.9", "10.101.0.19"], "02:00:00:00:00:09", "arp"],
    ]


def test_an_address_that_two_hosts_claim_is_a_conflict(in_namespace):
    peer = """
sysctl -qw net.ipv4.conf.all.arp_ignore=1
for n in 5 6; do
    ip link add m$n link far0 address 02:00:00:00:00:0$n type macvlan mode bridge
    ip addr add 10.101.0.5/24 dev m$n; ip link set m$n up
done
"""
    code = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
result = sweep(["10.101.0.5", "10.101.0.6"], ["arp"], Snmp())
print(json.dumps([len(result.observations), result.conflicts]))
"""
    assert in_namespace(code, near=NEAR, peer=peer) == [
        1, {"10.101.0.5": ["02:00:00:00:00:05", "02:00:00:00:00:06"]}
    ]  # fmt: skip


def test_sweep_without_privileges_names_the_missing_one(in_namespace):
    targets, answers, error, _ = in_namespace(CODE, near=NEAR, peer=PEER, without="net_raw")
    assert (targets, answers) == (30, 0)
    assert error.startswith("needs CAP_NET_RAW (grant it: sudo setcap cap_net_raw+ep /")


def test_link_that_goes_down_in_mid_sweep_is_an_error_and_no_silence(in_namespace):
    code = """
import json, subprocess, threading
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
down = lambda: subprocess.run(["ip", "link", "set", "near0", "down"], check=True)
threading.Timer(0.3, down).start()
(probe,) = sweep(["10.101.0.2-10.101.0.254"], ["arp"], Snmp(), pace=Pace(rate=200)).probes
print(json.dumps(probe.error))
"""
    assert in_namespace(code, near=NEAR, peer=PEER) == "near0: Network is down"


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS])
def test_full_queue_of_an_interface_is_waited_for(number):
    class Full:
        def send(self, _):
            raise OSError(number, "full")

    part = AddressSet.of(["10.0.0.9"])
    with pytest.raises(BlockingIOError):
        Requests(Full(), HARDWARE, Link(targets=part, sources=((part, "10.0.0.1"),))).send(0)


def test_sweep_without_on_link_targets_does_not_apply(in_namespace):
    code = """
import json
from pdsno_cli.discovery.changes import outcome_of
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
probes = sweep(["127.0.0.1"], ["arp", "icmp"], Snmp()).probes
print(json.dumps([probes[0].targets, probes[0].error, outcome_of(probes)]))
"""
    assert in_namespace(code, near=NEAR, peer=PEER) == [0, None, "complete"]


HARDWARE = bytes.fromhex("020000000001")


@pytest.fixture(scope="module")
def l2():
    from scapy.config import conf

    conf.ipv6_enabled = False
    from scapy.layers import l2

    return l2


def requests(*targets, source="10.0.0.1"):
    part = AddressSet.of(targets)
    return of_link(Link(targets=part, sources=((part, source),)))


def of_link(link):
    with socket.socket() as unused:
        return Requests(unused, HARDWARE, link)


def reply(l2, address, mac="02:00:00:00:00:09", **fields):
    whole = {"op": "is-at", "hwsrc": mac, "psrc": address, "hwdst": "02:00:00:00:00:01"} | fields
    return bytes(l2.Ether(src=mac, dst="02:00:00:00:00:01") / l2.ARP(**whole, pdst="10.0.0.1"))


@pytest.mark.parametrize("target", ["10.0.0.9", "10.0.255.254", "192.168.1.1"])
def test_request_is_the_frame_that_scapy_builds(l2, target):
    ether = l2.Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff")
    arp = l2.ARP(op="who-has", hwsrc="02:00:00:00:00:01", psrc="10.0.0.1", pdst=target)
    assert bytes(requests(target).frame(0)) == bytes(ether / arp)


def test_requests_of_two_prefixes_have_the_source_of_each():
    one, two = AddressSet.of(["10.0.0.9"]), AddressSet.of(["10.0.1.9"])
    link = Link(
        targets=AddressSet.of(["10.0.0.9", "10.0.1.9"]),
        sources=((one, "10.0.0.1"), (two, "10.0.1.1")),
    )
    found = of_link(link)
    assert [found.frame(index)[28:32] for index in (0, 1)] == [
        socket.inet_aton("10.0.0.1"),
        socket.inet_aton("10.0.1.1"),
    ]


def test_reply_is_read_as_scapy_writes_it(l2):
    found = requests("10.0.0.8", "10.0.0.9")
    assert found.accept(reply(l2, "10.0.0.9") + bytes(18)) == 1  # padded to 60 bytes
    assert found.macs == {"10.0.0.9": "02:00:00:00:00:09"}


def test_first_reply_counts(l2):
    found = requests("10.0.0.9")
    found.accept(reply(l2, "10.0.0.9"))
    assert found.accept(reply(l2, "10.0.0.9", "02:00:00:00:00:0a")) == 0
    assert found.macs == {"10.0.0.9": "02:00:00:00:00:09"}


def test_reply_with_a_virtual_routers_mac_is_an_answer_without_a_mac(l2):
    found = requests("10.0.0.9")
    assert found.accept(reply(l2, "10.0.0.9", "00:00:5e:00:01:01")) == 0
    assert found.macs == {"10.0.0.9": None}


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "who-has"},
        {"psrc": "10.0.0.7"},
        {"hwsrc": "00:00:00:00:00:00"},
        {"hwsrc": "ff:ff:ff:ff:ff:ff"},
        {"hwtype": 6},
        {"ptype": 0x86DD},
    ],
)
def test_other_frames_are_junk(l2, fields):
    found = requests("10.0.0.9")
    assert found.accept(reply(l2, "10.0.0.9", **fields)) is None
    assert found.macs == {}


@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_an_error(frame):
    assert requests("10.0.0.9").accept(frame) in (None, 0)


def test_link_filter_keeps_the_replies_of_targets_only(in_namespace):
    """Requests of others, which a busy link is full of, never reach the socket."""
    code = """
import json, socket
from pdsno_cli.discovery.arp import open_link
from pdsno_cli.model.targets import AddressSet
from scapy.config import conf
conf.ipv6_enabled = False
from scapy.layers.l2 import ARP, Ether
sock = open_link("in0", AddressSet.of(["10.0.0.7", "10.0.0.9"]))
sock.settimeout(5)
peer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
peer.bind(("in1", 0))
for operation, last in (("who-has", 9), ("is-at", 6), ("is-at", 10), ("is-at", 7), ("is-at", 9)):
    arp = ARP(op=operation, psrc=f"10.0.0.{last}")
    peer.send(bytes(Ether(dst="ff:ff:ff:ff:ff:ff") / arp))
seen = [ARP(sock.recv(99)[14:]) for _ in range(2)]
print(json.dumps([[arp.op, arp.psrc] for arp in seen]))
"""
    near = "ip link add in0 type veth peer name in1; ip link set in0 up; ip link set in1 up"
    assert in_namespace(code, near=near) == [[2, "10.0.0.7"], [2, "10.0.0.9"]]

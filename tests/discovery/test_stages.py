"""Who is asked by which protocol, seen in the frames that leave the machine."""

from __future__ import annotations

NEAR = (
    "sysctl -qw net.ipv6.conf.near0.disable_ipv6=1; ip addr add 10.101.0.1/24 brd + dev near0;"
    "ip route add 10.102.0.0/24 via 10.101.0.2;"
)
# Two hosts on the link, one of which routes to three more; one of those answers no ICMP.
PEER = """
ip link set far0 address 02:00:00:00:00:02
ip addr add 10.101.0.2/24 dev far0; ip addr add 10.101.0.9/24 dev far0
for n in 1 2 3; do ip addr add 10.102.0.$n/32 dev lo; done
ip route add prohibit 10.103.0.0/24
"""
CODE = """
import json, socket
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp

wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) if {wire} else None
result = sweep({targets}, {protocols}, Snmp(timeout=0.2, retries=0), **{settings})
asked = {{"arp": set(), "icmp": set(), "snmp": set()}}
if wire is not None:
    wire.setblocking(False)
while wire is not None:
    try:
        frame, origin = wire.recvfrom(2048)
    except BlockingIOError:
        break
    if origin[2] != socket.PACKET_OUTGOING or origin[0] != "near0":
        continue
    if frame[12:14] == b"\\x08\\x06" and frame[0:6] == b"\\xff" * 6:
        asked["arp"].add(socket.inet_ntoa(frame[38:42]))
    elif frame[12:14] == b"\\x08\\0":
        kind = {{1: "icmp", 17: "snmp"}}[frame[23]]
        asked[kind].add(socket.inet_ntoa(frame[30:34]))
print(json.dumps([
    {{name: sorted(found) for name, found in asked.items()}},
    {{p.protocol: [p.targets, p.answers, p.error] for p in result.probes}},
    [list(o.addresses) for o in result.observations],
]))
"""
ALL = ["arp", "icmp", "snmp"]
LINK = [f"10.101.0.{n}" for n in range(2, 31)]


def code(targets, protocols=ALL, *, wire=True, **settings):
    return CODE.format(targets=targets, protocols=protocols, settings=settings, wire=wire)


def test_silent_targets_of_a_link_are_asked_by_arp_alone(in_namespace):
    asked, probes, found = in_namespace(code(["10.101.0.0/27"]), near=NEAR, peer=PEER)
    assert set(LINK) <= set(asked["arp"])
    assert asked["icmp"] == asked["snmp"] == ["10.101.0.2", "10.101.0.9"]
    # The machine's own address is on no link.
    assert probes == {"arp": [29, 2, None], "icmp": [3, 3, None], "snmp": [3, 0, None]}
    assert found == [["10.101.0.1"], ["10.101.0.2", "10.101.0.9"]]


def test_network_and_broadcast_addresses_of_a_link_are_never_asked(in_namespace):
    span = ["10.101.0.0-10.101.0.2", "10.101.0.254-10.101.1.0"]
    for protocols in (ALL, ["icmp"]):
        asked, probes, _ = in_namespace(code(span, protocols), near=NEAR, peer=PEER)
        assert not {"10.101.0.0", "10.101.0.255"} & {
            address for each in asked.values() for address in each
        }
        assert probes[protocols[0]][0] == (2 if protocols is ALL else 4)


def test_targets_behind_a_router_are_asked_by_all_protocols_at_once(in_namespace):
    asked, probes, found = in_namespace(code(["10.102.0.0/29"]), near=NEAR, peer=PEER)
    behind = [f"10.102.0.{n}" for n in range(1, 7)]
    assert asked["icmp"] == asked["snmp"] == behind
    assert probes == {"arp": [0, 0, None], "icmp": [6, 3, None], "snmp": [6, 0, None]}
    assert found == [["10.102.0.1"], ["10.102.0.2"], ["10.102.0.3"]]


def test_targets_behind_a_router_are_asked_snmp_where_they_answer_icmp(in_namespace):
    targets = ["10.102.0.0/29", "10.101.0.8-10.101.0.12"]
    asked, probes, _ = in_namespace(code(targets, answering_only=True), near=NEAR, peer=PEER)
    there = ["10.101.0.9", "10.102.0.1", "10.102.0.2", "10.102.0.3"]
    assert asked["snmp"] == there
    assert probes == {"arp": [5, 1, None], "icmp": [7, 4, None], "snmp": [4, 0, None]}


def test_a_known_device_is_asked_snmp_although_icmp_is_silent(in_namespace):
    run = code(["10.102.0.0/29"], answering_only=True).replace(
        "**{'answering_only': True}",
        "answering_only=True, pace=Pace(known={'10.102.0.5': ('snmp',), '10.9.9.9': ('snmp',)})",
    ).replace("import json, socket", "import json, socket\nfrom pdsno_cli.discovery.pace import Pace")  # fmt: skip
    asked, _, _ = in_namespace(run, near=NEAR, peer=PEER)
    assert asked["snmp"] == ["10.102.0.1", "10.102.0.2", "10.102.0.3", "10.102.0.5"]


def test_targets_are_asked_snmp_where_icmp_cannot_be_used(in_namespace):
    run = code(["10.102.0.0/29", *LINK[:3]], wire=False, answering_only=True)
    _, probes, _ = in_namespace(run, near=NEAR, peer=PEER, without="net_raw")
    assert probes["snmp"][:2] == [9, 0]
    assert [probes[name][2].startswith("needs CAP_NET_RAW") for name in ("arp", "icmp")] == [
        True,
        True,
    ]


MANY = """
import json
from pdsno_cli.discovery import neighbours
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
limit = {limit}
if limit:
    neighbours.limit = lambda: limit
result = sweep(["10.101.0.0/20"], ["arp", "icmp"], Snmp())
print(json.dumps([[[p.answers, p.targets, p.error] for p in result.probes], result.warnings,
    len([a for a in neighbours.addresses() if a.startswith("10.101.")])]))
"""
WIDE = "sysctl -qw net.ipv6.conf.near0.disable_ipv6=1; ip addr add 10.101.15.254/20 brd + dev near0"


def test_more_hosts_on_a_link_than_the_neighbour_table_holds_are_all_found(in_namespace):
    hosts = {"first": "10.101.0.1", "count": 1300}
    probes, warnings, left = in_namespace(MANY.format(limit=0), near=WIDE, hosts=hosts)
    assert probes == [[1300, 4093, None], [1301, 1301, None]]
    assert warnings == []
    assert left == 0


def test_neighbour_table_that_cannot_be_cleared_is_a_warning_that_says_what_to_type(in_namespace):
    hosts = {"first": "10.101.0.1", "count": 25}
    run = MANY.format(limit=134)
    probes, warnings, left = in_namespace(run, near=WIDE, hosts=hosts, without="net_admin")
    assert probes == [[25, 4093, None], [26, 26, None]]
    (warning,) = warnings
    assert warning.startswith(
        "25 hosts on links do not fit into the kernel's neighbour table of 134"
    )
    assert warning.endswith("sudo sysctl net.ipv4.neigh.default.gc_thresh3=298)")
    assert left == 25


def test_ctrl_c_ends_a_sweep_whose_threads_wait_for_each_other(in_namespace):
    code = """
import json, signal, time
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.5)
started = time.monotonic()
try:
    sweep(["10.101.0.0/24"], ["arp", "icmp", "snmp"], Snmp(), pace=Pace(rate=5), answering_only=True)
except KeyboardInterrupt:
    print(json.dumps(time.monotonic() - started))
"""
    assert in_namespace(code, near=NEAR, peer=PEER) < 20  # it would take minutes

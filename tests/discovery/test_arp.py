"""ARP through scapy with real frames in network namespaces of the test's own."""

from __future__ import annotations

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


def test_sweep_without_privileges_names_the_missing_one(in_namespace):
    targets, answers, error, _ = in_namespace(CODE, near=NEAR, peer=PEER, without="net_raw")
    assert (targets, answers, error) == (30, 0, "needs CAP_NET_RAW")


def test_sweep_without_on_link_targets_does_not_apply_and_imports_nothing(in_namespace):
    code = """
import json, sys
from pdsno_cli.discovery.changes import outcome_of
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
probes = sweep(["127.0.0.1"], ["arp", "icmp"], Snmp()).probes
print(json.dumps([probes[0].targets, probes[0].error, outcome_of(probes), "scapy" in sys.modules]))
"""
    assert in_namespace(code, near=NEAR, peer=PEER) == [0, None, "complete", False]

"""Scans of real labs: several communities, and the reasons of silence."""

from __future__ import annotations

import sys
import threading

import pytest

from pdsno_cli.discovery.progress import Progress
from pdsno_cli.discovery.scan import Plan, reasons, scan
from pdsno_cli.discovery.sweep import SweepResult
from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.lab.server import Lab
from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.spec.topology import Credential, Snmp
from tests.conftest import in_namespace
from tests.lab.conftest import free_udp_port, served

ONE, TWO = "127.103.1.1-127.103.1.6", "127.103.2.1-127.103.2.4"


@pytest.fixture(scope="module")
def port():
    """Return the port of two labs with different communities."""
    port = free_udp_port("127.103.1.1")
    segments = [
        Segment(targets=AddressSet.of([ONE]), port=port, community="one"),
        Segment(targets=AddressSet.of([TWO]), port=port, community="two"),
    ]
    with served(Lab(plan(segments, devices=10, snmp=10))):
        yield port


def wanted(port, *communities, targets=(ONE, TWO), protocols=("snmp",)):
    tried = tuple(Credential(community=text) for text in communities)
    return Plan(
        targets=AddressSet.of(targets),
        protocols=protocols,
        snmp=Snmp(port=port, timeout=0.3, retries=1, credentials=tried, details=None),
    )


def names(result):
    return {item.addresses[0]: item.sys_name for item in result.observations}


def test_each_community_is_tried_on_those_that_did_not_answer_before(port):
    first = scan(wanted(port, "one"), threading.Event())
    both = scan(wanted(port, "one", "none", "two"), threading.Event())
    assert len(names(first)) == 6
    assert len(names(both)) == 10
    assert names(first).items() <= names(both).items()
    assert [(p.protocol, p.targets, p.answers) for p in both.probes] == [("snmp", 10, 10)]
    assert [item.addresses[0] for item in both.observations] == list(AddressSet.of([ONE, TWO]))


def test_a_further_community_adds_to_what_icmp_found(port):
    result = scan(wanted(port, "none", "two", protocols=("icmp", "snmp")), threading.Event())
    (icmp, snmp) = result.probes
    if icmp.error is None:
        assert icmp.answers == 10
        protocols = {item.addresses[0]: item.protocols for item in result.observations}
        assert protocols["127.103.2.1"] == ("icmp", "snmp")
        assert protocols["127.103.1.1"] == ("icmp",)
    assert snmp.answers == 4


def test_a_cancelled_scan_returns_soon(port):
    cancel = threading.Event()
    cancel.set()
    assert scan(wanted(port, "one", "two"), cancel).cancelled


def test_the_reason_of_silence_names_communities_and_port(port):
    asked = wanted(port, "none", targets=(ONE,))
    (said,) = reasons(asked, scan(asked, threading.Event()))
    assert said == f"snmp: no answer of 6 to the community on port {port}"


@pytest.mark.skipif(sys.platform != "linux", reason="closed ports are seen on Linux only")
def test_the_reason_of_silence_is_a_closed_port():
    port = free_udp_port("127.103.1.1")
    asked = wanted(port, "none", "other", targets=(ONE,))
    (said,) = reasons(asked, scan(asked, threading.Event()))
    assert said == (
        f"snmp: port {port} is refused at 6 of 6: no agent there, or a firewall rejects it; "
        "try another --port"
    )


def result(*probes):
    return SweepResult(observations=(), probes=probes, seconds=1.0)


def probe(name, *, targets=5, answers=0, error=None):
    return ProbeResult(protocol=name, targets=targets, answers=answers, seconds=1.0, error=error)


def test_agents_that_are_there_and_do_not_answer_are_told_from_silence():
    asked = wanted(161, "a", "b", targets=(ONE,), protocols=("icmp", "snmp"))
    (said,) = reasons(asked, result(probe("icmp", answers=3), probe("snmp")))
    assert said == (
        "snmp: none of the 3 that are there answered to the 2 communities on port 161: "
        "try another --community, --user or --port; agents may also answer certain hosts only"
    )


def test_every_protocol_that_could_not_be_used_says_why():
    asked = wanted(161, "a", targets=(ONE,), protocols=("arp", "icmp"))
    said = list(reasons(asked, result(probe("arp", targets=0), probe("icmp", error="needs X"))))
    assert said == [
        "arp reaches targets on a link of this machine only: none is",
        "icmp could not be used: needs X",
    ]


def test_progress_counts_the_requests_of_each_protocol(port):
    progress = {"icmp": Progress(), "snmp": Progress()}
    found = scan(wanted(port, "one", protocols=("icmp", "snmp")), threading.Event(), progress)
    icmp, snmp = found.probes
    if icmp.error is None:
        assert progress["icmp"] == Progress(begun=10, finished=10)
    # The system group of ten, and the MACs of the six that answered.
    assert progress["snmp"] == Progress(begun=16, finished=16)
    assert snmp.answers == 6


def test_arp_is_not_for_ipv6():
    asked = wanted(161, "a", targets=("fd00:1::9",), protocols=("arp", "icmp"))
    first, second = reasons(asked, result(probe("arp", targets=0), probe("icmp")))
    assert first == "arp is of IPv4 only, and no target is: icmp asks IPv6 on links, too"
    assert second.startswith("icmp: no answer of 5")


def test_link_without_an_answer_is_a_reason():
    asked = wanted(161, "a", targets=("fd00:1::/64",), protocols=("icmp",))
    (said,) = reasons(asked, result(probe("icmp", targets=0)))
    assert said.startswith("nothing answered the echo to all nodes on fd00:1::/64: ")


def test_a_range_without_a_route_is_named():
    code = """
import json
from pdsno_cli.discovery.scan import no_routes
from pdsno_cli.model.targets import AddressSet
print(json.dumps(list(no_routes(AddressSet.of(["127.0.0.1", "10.9.9.0/24"]).ranges))))
"""
    assert in_namespace(code) == ["no route to 10.9.9.1: Network is unreachable"]

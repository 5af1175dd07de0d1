"""Whole sweeps: protocols side by side, failures as results, imports only where needed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp import probe as snmp_probe
from pdsno_cli.discovery.snmp import system
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.model.details import Detail
from pdsno_cli.spec.topology import Snmp
from tests.discovery.snmp.test_probe import is_walk, respond, rows

TARGETS = [f"127.101.30.{n}" for n in range(1, 9)]


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_importing_sweep_imports_no_protocol_library():
    code = "import sys, pdsno_cli.discovery.sweep; print(*sys.modules)"
    assert not {"scapy", "pysnmp", "pyasn1"} & set(run(code))


def test_preload_imports_what_the_protocols_need():
    code = """
import sys
from pdsno_cli.discovery.sweep import preload
preload(["icmp"]); print("pdsno_cli.discovery.snmp.probe" in sys.modules)
preload(["snmp"]); print("pdsno_cli.discovery.identify.rules" in sys.modules)
preload(["arp"], ["127.0.0.1"]); print("pdsno_cli.discovery.arp" in sys.modules)
preload(["arp"]); print("pdsno_cli.discovery.arp" in sys.modules)
"""
    assert run(code) == ["False", "True", "False", "True"]


def test_sweep_reports_every_protocol_in_order():
    result = sweep(TARGETS, ["snmp", "arp"], Snmp(port=9, timeout=0.2))
    assert [(p.protocol, p.targets, p.error) for p in result.probes] == [
        ("arp", 0, None),
        ("snmp", 8, None),
    ]
    assert not result.observations


def test_sweep_turns_an_unforeseen_failure_into_a_result():
    result = sweep(TARGETS, ["snmp"], Snmp(port=99_999_999))
    (probe,) = result.probes
    assert probe.error.startswith("OverflowError")


def test_sweep_without_targets_is_empty():
    result = sweep([], ["arp", "snmp"], Snmp())
    assert [p.targets for p in result.probes] == [0, 0]


def test_sweep_stops_promptly_when_cancelled():
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    result = sweep(["192.0.2.77"], ["snmp", "icmp"], Snmp(timeout=30.0), cancel)
    assert time.monotonic() - started < 15  # and not after the timeout
    assert result.cancelled or all(probe.error for probe in result.probes)


def test_sweep_without_privileges_names_what_icmp_needs(in_namespace):
    code = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
print(json.dumps([p.error for p in sweep(["127.0.0.1"], ["arp", "icmp", "snmp"], Snmp()).probes]))
"""
    needs = (
        "needs CAP_NET_RAW, or a group within the sysctl net.ipv4.ping_group_range "
        "(grant it: sudo sysctl net.ipv4.ping_group_range='0 2147483647', or CAP_NET_RAW)"
    )
    assert in_namespace(code, without="net_raw") == [None, needs, None]


def test_sweep_merges_arp_icmp_and_snmp_of_one_device(in_namespace):
    code = """
import json
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
result = sweep([f"10.101.0.{n}" for n in range(1, 6)], ["arp", "icmp", "snmp"], Snmp(timeout=0.3))
print(json.dumps([[o.addresses, o.protocols, o.mac] for o in result.observations]))
"""
    near = "ip addr add 10.101.0.1/24 dev near0"
    peer = "ip link set far0 address 02:00:00:00:00:09; ip addr add 10.101.0.3/24 dev far0"
    assert in_namespace(code, near=near, peer=peer) == [
        [["10.101.0.1"], ["icmp"], None],
        [["10.101.0.3"], ["arp", "icmp"], "02:00:00:00:00:09"],
    ]


@pytest.mark.parametrize("shared", ["00005e000101", "00005e000207", "00000c07ac01", "0242ac110002"])
def test_sweep_of_two_agents_that_share_a_virtual_mac_finds_two_devices(agent, shared):
    """Each names it first; what follows is its own."""

    def answering(number):
        table = {1: bytes.fromhex(shared), 2: bytes([2, 0, 0, 0, 0, number])}

        def answer(data):
            if is_walk(data):
                return rows(data, lambda index: table.get(index, b""))
            return respond(data, [(system.SYS_NAME, v2c.OctetString(f"router-{number}".encode()))])

        return answer

    one, two = "127.101.31.1", "127.101.31.2"
    with agent(one, answering(1)) as port, agent(two, answering(2), port):
        result = sweep([one, two], ["snmp"], Snmp(port=port))
    assert [(item.addresses, item.sys_name, item.mac) for item in result.observations] == [
        ((one,), "router-1", "02:00:00:00:00:01"),
        ((two,), "router-2", "02:00:00:00:00:02"),
    ]


class Finder:
    """A probe that learns more than its answers say."""

    def preload(self):
        pass

    def sweep(self, request):
        request.findings.details[TARGETS[0]] = Detail(chassis="00:00:00:00:00:01")
        request.findings.refused |= {TARGETS[1], TARGETS[2]}
        request.findings.stray[TARGETS[3]] = {"127.0.0.9": 2}
        return {TARGETS[0]: {}, TARGETS[2]: {}}


def test_sweep_returns_what_a_probe_finds_beside_its_answers(monkeypatch):
    monkeypatch.setattr(snmp_probe, "PROBE", Finder())
    result = sweep(TARGETS, ["snmp"], Snmp())
    assert dict(result.details) == {TARGETS[0]: Detail(chassis="00:00:00:00:00:01")}
    assert result.refused == (TARGETS[2],)  # the other one answers nothing: it may be away
    assert result.stray == {TARGETS[3]: {"127.0.0.9": 2}}

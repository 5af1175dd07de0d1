"""Labs with a network of their own, in namespaces that the tests make; real probes watch them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.lab.wire import prefixes
from tests.conftest import in_namespace

LAB = """
import json, os, signal, subprocess, sys, threading, time
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.lab.server import Lab
from pdsno_cli.lab.wire import Wire
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.targets import expand, parse_target
from pdsno_cli.spec.topology import Snmp
def make(target, *, devices, snmp=0, icmp=None, name="t"):
    found = parse_target(target)
    segment = Segment(targets=expand([target]))
    planned = plan([segment], devices=devices, snmp=snmp, icmp=icmp)
    return Lab(planned, Wire(name, [(found.first, found.last)]))
def serve(lab):
    stop = threading.Event()
    thread = threading.Thread(target=lab.serve, args=(stop,))
    thread.start()
    def end():
        stop.set()
        thread.join()
        lab.close()
    return end
def found(target, protocols=("arp", "icmp", "snmp")):
    result = sweep(expand([target]), protocols, Snmp(timeout=0.5))
    errors = [item.error for item in result.probes if item.error]
    assert not errors, errors
    return {o.addresses[0]: o for o in result.observations}
def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
"""


def test_a_lab_of_300_is_found_by_every_protocol_with_a_mac_each():
    code = """
started = time.monotonic()
lab = make("10.77.0.0/23", devices=300, snmp=100, icmp=270)
ready, told = os.pipe()
ended, end = os.pipe()
served = os.fork()  # a process of its own, as in a run: a sweep leaves other threads little time
if served == 0:
    os.close(end)
    lab.open()
    os.write(told, b"x")
    lab.serve(ended)
    lab.close()
    os._exit(0)
os.read(ready, 1)
opened = time.monotonic() - started
planned = {d.address: d for d in lab.devices}
expected = {a: {"arp", *["icmp"] * d.icmp, *["snmp"] * d.snmp} for a, d in planned.items()}
seen, macs, names = {}, {}, {}
deadline = time.monotonic() + 40
while seen != expected and time.monotonic() < deadline:  # a machine under load may lose a try
    for address, o in found("10.77.0.0/23").items():
        seen.setdefault(address, set()).update(o.protocols)
        macs[address] = o.mac
        names[address] = o.sys_name or names.get(address)
wrong = [a for a in planned if seen.get(a) != expected[a] or macs[a] != planned[a].mac]
named = [a for a in planned if planned[a].snmp and names[a] != planned[a].sys_name]
os.close(end)
os.waitpid(served, 0)
left = [ip("-o", "link"), ip("route"), ip("-o", "address")]
print(json.dumps([len(seen), wrong, named, opened, left]))
"""
    count, wrong, named, opened, left = in_namespace(LAB + code)
    assert (count, wrong, named) == (300, [], [])
    assert opened < 15
    assert "pdsno" not in "".join(left)
    assert "192.0.0.8" not in "".join(left)
    assert left[1] == ""


def test_devices_go_and_come_back_under_other_names():
    code = """
lab = make("10.77.1.0/29", devices=6, snmp=2)
lab.open()
end = serve(lab)
first, second = "10.77.1.1", "10.77.1.2"
seen = [sorted(found("10.77.1.0/29", ["arp", "icmp"]))]
said = [lab.remove(second)]
seen.append(sorted(found("10.77.1.0/29", ["arp", "icmp"])))
ip("neigh", "flush", "all")
said += [lab.add(lab.model(second)), lab.rename(first, "another")]
try:
    lab.add(lab.model("10.99.0.1"))
except LabError as exc:
    said.append(str(exc))
after = found("10.77.1.0/29")
seen.append(sorted(after))
end()
print(json.dumps([seen, said, after[first].sys_name]))
"""
    seen, said, name = in_namespace(LAB + code)
    everyone = [f"10.77.1.{n}" for n in range(1, 7)]
    assert seen == [everyone, [a for a in everyone if a != "10.77.1.2"], everyone]
    assert said == [
        "10.77.1.2 (host-02) is removed",
        "10.77.1.2 (host-02) is added",
        "10.77.1.1 is now another",
        "10.99.0.1 is outside of the lab's network, 10.77.1.0/29",
    ]
    assert name == "another"


def test_a_killed_lab_leaves_nothing_and_the_next_starts():
    code = """
ready, told = os.pipe()
killed = os.fork()
if killed == 0:
    lab = make("10.77.2.0/29", devices=6)
    lab.open()
    os.write(told, b"x")
    lab.serve(threading.Event())
os.read(ready, 1)
before = ip("-o", "link")
os.kill(killed, signal.SIGKILL)
os.waitpid(killed, 0)
lab = make("10.77.2.0/29", devices=6)  # the kernel may still be removing the other's link
lab.open()
end = serve(lab)
seen = len(found("10.77.2.0/29", ["arp"]))
end()
print(json.dumps([before, seen, ip("-o", "link"), ip("route")]))
"""
    before, seen, links, routes = in_namespace(LAB + code)
    assert "pdsno-" in before
    assert seen == 6
    assert "pdsno-" not in links
    assert routes == ""


def test_the_kernel_removes_all_of_a_killed_lab_by_itself():
    code = """
ready, told = os.pipe()
killed = os.fork()
if killed == 0:
    lab = make("10.77.2.0/29", devices=6)
    lab.open()
    os.write(told, b"x")
    lab.serve(threading.Event())
os.read(ready, 1)
os.kill(killed, signal.SIGKILL)
os.waitpid(killed, 0)
deadline = time.monotonic() + 20
while "pdsno-" in ip("-o", "link") and time.monotonic() < deadline:
    time.sleep(0.02)
print(json.dumps([ip("-o", "link"), ip("route"), ip("-o", "address")]))
"""
    left = in_namespace(LAB + code)
    assert "pdsno-" not in "".join(left)
    assert left[1] == ""


def test_a_second_lab_of_the_same_topology_is_refused():
    code = """
lab = make("10.77.3.0/29", devices=6)
lab.open()
try:
    make("10.77.3.0/29", devices=6).open()
except LabError as exc:
    same = str(exc)
try:
    make("10.77.3.0/30", devices=2, name="other").open()
except LabError as exc:
    routed = str(exc)
alive = len(ip("route").splitlines())
lab.close()
print(json.dumps([same, routed, alive]))
"""
    same, routed, alive = in_namespace(LAB + code)
    assert "does this lab run already?" in same
    assert "10.77.3.0/30 overlaps 10.77.3.0/29, which is routed by pdsno-" in routed
    assert alive == 1


def test_targets_that_this_machine_routes_are_refused():
    code = """
ip("link", "add", "lan0", "type", "veth", "peer", "name", "lan1")
ip("link", "set", "lan0", "up")
ip("route", "add", "10.0.0.0/8", "dev", "lan0")
try:
    make("10.77.4.0/29", devices=6).open()
except LabError as exc:
    print(json.dumps([str(exc), ip("-o", "link").count("pdsno-")]))
"""
    said, links = in_namespace(LAB + code)
    assert said == (
        "the lab's 10.77.4.0/29 overlaps 10.0.0.0/8, which is routed by lan0 on this machine: "
        "choose other targets"
    )
    assert links == 0


@pytest.mark.parametrize("without", ["-sys_admin", "-net_admin", "-net_raw"])
def test_without_a_capability_it_is_one_line_and_nothing_is_left(without):
    code = """
try:
    make("10.77.5.0/29", devices=6).open()
except LabError as exc:
    print(json.dumps([str(exc), ip("-o", "link").count("pdsno-")]))
"""
    said, links = in_namespace(LAB + code, without=without)
    assert said.startswith("cannot make the lab's network: ")
    assert "\n" not in said
    assert links == 0


def test_the_router_announces_itself_by_lldp():
    code = """
import socket
from scapy.config import conf
conf.ipv6_enabled = False
from scapy.layers.l2 import Ether
from scapy.contrib.lldp import (LLDPDU, LLDPDUChassisID, LLDPDUPortID, LLDPDUSystemName,
    LLDPDUTimeToLive, LLDPDUSystemCapabilities, LLDPDUManagementAddress, LLDPDUSystemDescription)
lab = make("10.77.8.0/28", devices=8, snmp=8)
lab.open()
near = ip("-o", "link").split("pdsno-")[1][:8]
listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88CC))
listening.bind(("pdsno-" + near, 0x88CC))
listening.settimeout(10)
end = serve(lab)
frame = Ether(listening.recv(9000))
router = lab.devices[0]
end()
mgmt = frame[LLDPDUManagementAddress]
print(json.dumps([
    frame.dst, frame.src == router.mac, frame[LLDPDUChassisID].id, frame[LLDPDUPortID].id.decode(),
    frame[LLDPDUTimeToLive].ttl, frame[LLDPDUSystemName].system_name.decode(),
    frame[LLDPDUSystemDescription].description.decode()[:16],
    frame[LLDPDUSystemCapabilities].router_enabled, frame[LLDPDUSystemCapabilities].mac_bridge_enabled,
    list(mgmt.management_address), router.mac,
]))
"""
    found = in_namespace(LAB + code)
    mac = found.pop()
    assert found == [
        "01:80:c2:00:00:0e", True, mac, "xe-0/1/0", 120, "rt-edge-01", "Juniper Networks", 1, 0,
        [10, 77, 8, 1],
    ]  # fmt: skip


def test_replan_changes_routes_and_hosts():
    code = """
lab = make("10.77.6.0/29", devices=6)
lab.open()
end = serve(lab)
other = parse_target("10.77.7.0/29")
planned = plan([Segment(targets=expand(["10.77.7.0/29"]))], devices=4, snmp=0)
said = lab.replan(planned, [(other.first, other.last)])
seen = sorted(found("10.77.7.0/29", ["arp"]))
routes = ip("route")
end()
print(json.dumps([said, len(seen), routes]))
"""
    said, seen, routes = in_namespace(LAB + code)
    assert (said, seen) == ("the lab has 4 devices", 4)
    assert routes.startswith("10.77.7.0/29 dev pdsno-")
    assert len(routes.splitlines()) == 1


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 1000)), min_size=1, max_size=9))
def test_prefixes_cover_every_range_and_do_not_overlap(spans):
    import ipaddress

    ranges = [(first, min(first + more, 2**32 - 1)) for first, more in spans]
    nets = [ipaddress.IPv4Network(text) for text in prefixes(ranges)]
    for first, last in ranges:
        assert any(int(n[0]) <= first and last <= int(n[-1]) for n in nets)
    assert not any(a.overlaps(b) for a in nets for b in nets if a is not b)

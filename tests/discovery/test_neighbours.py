"""The kernel's neighbour table: what is read of it, and room made in it."""

from __future__ import annotations

from pdsno_cli.discovery.neighbours import parse


def test_parse_takes_those_that_are_resolved():
    text = """IP address       HW type     Flags       HW address            Mask     Device
10.0.0.2         0x1         0x2         02:00:00:00:00:02     *        eth0
10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.4         0x1         0x6         02:00:00:00:00:04     *        eth0
10.0.0.5         0x1         0x2         00:00:5e:00:01:01     *        eth0
"""
    assert parse(text) == {
        "10.0.0.2": "02:00:00:00:00:02",
        "10.0.0.4": "02:00:00:00:00:04",
    }


def test_forget_deletes_entries_of_an_interface_and_keeps_others(in_namespace):
    code = """
import json
from pdsno_cli.discovery import icmp, neighbours
import threading
icmp.sweep([f"10.101.0.{n}" for n in range(2, 6)], threading.Event())
before = sorted(neighbours.resolved())
neighbours.forget("near0", before, keep={"10.101.0.3"})
print(json.dumps([before, sorted(neighbours.resolved())]))
"""
    near = "ip addr add 10.101.0.1/24 dev near0"
    hosts = {"first": "10.101.0.2", "count": 4}
    before, after = in_namespace(code, near=near, hosts=hosts)
    assert before == [f"10.101.0.{n}" for n in range(2, 6)]
    assert after == ["10.101.0.3"]


def test_forget_without_privilege_does_nothing(in_namespace):
    code = """
import json
from pdsno_cli.discovery import icmp, neighbours
import threading
icmp.sweep(["10.101.0.2"], threading.Event())
neighbours.forget("near0", ["10.101.0.2"])
print(json.dumps(sorted(neighbours.resolved())))
"""
    near = "ip addr add 10.101.0.1/24 dev near0"
    hosts = {"first": "10.101.0.2", "count": 1}
    assert in_namespace(code, near=near, hosts=hosts, without="net_admin") == ["10.101.0.2"]

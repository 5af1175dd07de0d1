"""A lab that runs: it binds, changes, and goes without a trace; real probes watch it."""

from __future__ import annotations

import json
import os
import threading

import pytest

from pdsno_cli.discovery.snmp import probe
from pdsno_cli.discovery.snmp.agents import SYS_OBJECT_ID
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.lab import ber
from pdsno_cli.lab.models import model
from pdsno_cli.lab.plan import Segment, make_device, plan
from pdsno_cli.lab.recording import FOLDER, load
from pdsno_cli.lab.server import Lab
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.targets import expand
from pdsno_cli.spec.topology import Snmp
from tests.conftest import in_namespace

QUICK = 0.3  # seconds


def ask(targets, port, community="lab"):
    settings = Snmp(port=port, community=community, timeout=QUICK)
    return probe.sweep(targets, settings, threading.Event())


def identity(device):
    recorded = load(device.recording).objects[SYS_OBJECT_ID]
    expected = json.loads((FOLDER / "expected.json").read_text())[device.recording]
    return ".".join(map(str, ber.read_oid(recorded[1]))), expected["type"]


def test_lab_of_zone_a_is_found_by_probing(serve, port):
    ours, theirs = expand(["127.102.3.1-127.102.3.30"]), expand(["127.102.4.1-127.102.4.23"])
    segments = [Segment(targets=ours, port=port), Segment(targets=theirs, port=port)]
    planned = plan(segments, devices=53, snmp=25)
    with serve(Lab(planned)):
        result = sweep(ours + theirs, ["arp", "icmp", "snmp"], Snmp(port=port))
    arp, icmp, speaking = result.probes
    assert (arp.targets, arp.error) == (0, None)
    assert icmp.error is not None or icmp.answers == 53
    assert speaking.answers == 25
    found = {o.addresses[0]: o for o in result.observations}
    for device in planned:
        if device.snmp:
            seen = found[device.address]
            assert (seen.mac, seen.sys_name) == (device.mac, device.sys_name)
            assert (seen.sys_object_id, seen.extra["type"]) == identity(device)
    assert result.seconds < 15


def test_several_sweeps_at_once_find_the_same(lab, targets, port):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(set(ask(targets, port)))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{targets[0], targets[2], targets[4]}] * 5


def test_rename_shows_in_the_next_answer(lab, targets, port):
    before = ask(targets, port)[targets[2]]
    assert lab.rename(targets[2], "renamed") == f"{targets[2]} is now renamed"
    after = ask(targets, port)[targets[2]]
    assert (before.sys_name, after.sys_name) == ("sw-core-03", "renamed")
    assert after.uptime >= before.uptime


def test_add_of_a_new_device_takes_port_and_community_of_its_neighbour(lab, targets, port):
    lab.add(lab.model("127.102.1.99"))
    assert ask(["127.102.1.99"], port)["127.102.1.99"].sys_name == "cam-gate-07"
    assert len(lab.devices) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lab: lab.remove("127.102.1.77"), "the lab has no device at 127.102.1.77"),
        (lambda lab: lab.rename("127.102.1.2", "x"), "no device with SNMP at 127.102.1.2"),
        (lambda lab: lab.add(lab.model("127.102.1.1")), "already has a device at 127.102.1.1"),
        (lambda lab: lab.model("no address"), "invalid IPv4 address 'no address'"),
        (lambda lab: lab.add(lab.model("198.51.100.1")), "cannot serve a lab device on UDP"),
    ],
)
def test_an_impossible_change_is_refused(lab, change, message):
    with pytest.raises(LabError, match=message):
        change(lab)


def test_open_with_a_port_in_use_names_it_and_leaves_nothing_bound(lab, targets, port):
    other = make_device(9, "127.102.1.88", port=port, community="lab", model=model("camera-axis"))
    with pytest.raises(LabError, match=f"UDP {targets[0]} port {port} is in use"):
        Lab([other, *lab.devices]).open()
    assert ask([other.address], port) == {}
    with Lab([other]):  # its socket is free again
        pass


def test_serve_ends_when_its_descriptor_becomes_readable(port):
    ours, theirs = os.pipe()
    with Lab([device("127.102.5.1", port)]) as lab:
        thread = threading.Thread(target=lab.serve, args=(ours,))
        thread.start()
        os.close(theirs)
        thread.join(5)
        assert not thread.is_alive()
    os.close(ours)


def test_close_from_another_thread_ends_serve(port):
    lab = Lab([device("127.102.6.1", port)])
    lab.open()
    thread = threading.Thread(target=lab.serve, args=(threading.Event(),))
    thread.start()
    lab.close()
    lab.close()
    thread.join(5)
    assert not thread.is_alive()


def device(address, port):
    return make_device(0, address, port=port, community="lab", model=model("camera-axis"))


REMOVE = """
import json, os, threading
from pdsno_cli.discovery import icmp
from pdsno_cli.lab.models import model
from pdsno_cli.lab.plan import make_device
from pdsno_cli.lab.server import Lab
A, B = "127.102.7.1", "127.102.7.2"
def alive():
    return sorted(icmp.sweep([A, B], threading.Event(), timeout=0.2))
def devices():
    models = model("camera-axis"), None
    return [
        make_device(n, a, port=1161, community="x", model=models[n]) for n, a in enumerate((A, B))
    ]
said, seen = [], []
lab = Lab(devices())
lab.open()
"""


def test_remove_blocks_icmp_until_the_device_is_added_again():
    code = """
for change in (lambda: lab.remove(A), lambda: lab.remove(B), lambda: lab.add(lab.model(A)), lab.close):
    said.append(change())
    seen.append(alive())
print(json.dumps([said, seen]))
"""
    said, seen = in_namespace(REMOVE + code)
    assert said[:2] == [
        "127.102.7.1 (cam-gate-01) is removed",
        "127.102.7.2 (host-02) is removed",
    ]
    assert seen == [["127.102.7.2"], [], ["127.102.7.1"], ["127.102.7.1", "127.102.7.2"]]


def test_open_undoes_what_a_killed_lab_left_silenced():
    code = """
lab.close()
killed = os.fork()
if killed == 0:
    lab.open()
    lab.remove(A)
    lab.remove(B)
    os._exit(1)
os.waitpid(killed, 0)
before = alive()
with Lab(devices()):
    print(json.dumps([before, alive()]))
"""
    assert in_namespace(REMOVE + code) == [[], ["127.102.7.1", "127.102.7.2"]]


def test_remove_without_the_privilege_reports_that_icmp_is_still_answered():
    code = "print(json.dumps([lab.remove(A), alive()]))"
    said, seen = in_namespace(REMOVE + code, without="-net_admin")
    assert said.startswith(
        "127.102.7.1 (cam-gate-01) no longer answers SNMP, but the kernel still answers ICMP for it: "
        "needs CAP_NET_ADMIN"
    )
    assert seen == ["127.102.7.1", "127.102.7.2"]


def test_replan_leaves_those_that_stay_as_they_are_now(serve, targets, port):
    def planned(count, community="lab"):
        segments = [Segment(targets=targets, port=port, community=community)]
        return plan(segments, devices=count, snmp=count)

    first, second, third, *_ = targets
    count = len(targets)
    with serve(Lab(planned(count))) as lab:
        lab.rename(first, "renamed")
        lab.remove(second)
        assert lab.replan(planned(count)) == f"the lab has {count - 1} devices"
        found = ask(targets, port)
        assert found[first].sys_name == "renamed"
        assert second not in found
        few = plan([Segment(targets=targets[:2], port=port, community="lab")], devices=2, snmp=2)
        lab.replan(few)
        assert set(ask(targets, port)) == {first}
        lab.replan(planned(count, "other"))
        assert third in ask(targets, port, "other")
        assert ask(targets, port) == {}
        assert len(lab.devices) == count

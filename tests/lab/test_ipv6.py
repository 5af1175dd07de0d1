"""A namespace lab whose devices have an IPv6 address each, watched by real probes."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.lab import frames6
from pdsno_cli.lab.frames import Host
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import LabError
from pdsno_cli.runtime.lab import plan_lab, replan
from tests.conftest import in_namespace
from tests.lab.test_wire import LAB

CODE = """
lab = Lab(
    plan([Segment(targets=expand(["10.77.0.0/26"]))], devices=20, snmp=10, icmp=16),
    Wire("t", [(parse_target("10.77.0.0/26").first, parse_target("10.77.0.0/26").last)], ipv6="fd00:77::/64"),
)
lab.open()
end = serve(lab)
targets = {targets}
result = sweep(targets, ["arp", "icmp", "snmp"], Snmp(timeout=0.5))
first = [[list(o.addresses), o.mac, o.sys_name] for o in result.observations]
gone = result.observations[{gone}].addresses[0]
lab.remove(gone) if {gone} else None
again = sweep(targets, ["arp", "icmp", "snmp"], Snmp(timeout=0.5))
end()
print(json.dumps([
    first,
    [list(o.addresses) for o in again.observations],
    [item.error for item in result.probes],
    sorted(address for address in result.closed if ":" in address),
]))
"""


def own(address):
    return str(ipaddress.IPv6Address("fd00:77::") + int(ipaddress.IPv4Address(address)))


def test_devices_of_both_families_are_found_and_are_one_each():
    first, again, errors, closed = in_namespace(
        LAB + CODE.format(targets=["10.77.0.0/26", "fd00:77::/64"], gone=3)
    )
    devices = [item for item in first if item[1] is not None]
    assert errors == [None] * 3
    both = [item for item in devices if len(item[0]) == 2]
    assert len(devices) == 20
    assert all(found[1] == own(found[0]) for found, *_ in both)
    # Those that answer no echo are not found by IPv6, but for their agents.
    assert 16 <= len(both) <= 20
    assert sum(name is not None for *_, name in devices) == 10
    assert [[own("0.0.0.1")], None, None] in first  # this machine
    assert len(again) == len(first) - 1
    assert closed  # those with echo and without an agent


def test_devices_are_found_by_ipv6_alone():
    first, *_ = in_namespace(LAB + CODE.format(targets=["fd00:77::/64"], gone=0))
    assert len(first) == 17
    assert {len(found) for found, *_ in first} == {1}


HOST = Host(
    mac=b"\2\0\0\0\0\1", address=bytes(15) + b"\1", echo=True, port=161, answer=lambda _: b"x"
)


@given(st.binary(max_size=120), st.sampled_from([58, 17]), st.sampled_from([128, 135, 0]))
def test_any_frame_is_answered_or_not(data, protocol, kind):
    list(frames6.answers(data, {HOST.address: HOST}))
    head = b"\2\0\0\0\0\1" + bytes(6) + b"\x86\xdd" + b"\x60\0\0\0"
    body = bytes((kind,)) + data
    frame = head + len(body).to_bytes(2, "big") + bytes((protocol, 255)) + b"\1" * 16
    list(frames6.answers(frame + HOST.address + body, {HOST.address: HOST}))


UP = """
import json, subprocess, sys
def pdsno(*words):
    done = subprocess.run([sys.executable, "-m", "pdsno_cli", *words, "--state-dir", "state"],
                          capture_output=True, text=True, timeout=50, cwd="{folder}")
    return [done.returncode, done.stdout, done.stderr]
print(json.dumps([
    pdsno("up", "lab.yaml", "--cycles", "1"),
    pdsno("devices", "lab.yaml", "--json"),
    subprocess.run(["ip", "-br", "link"], capture_output=True, text=True).stdout,
]))
"""
FILE = """\
name: dual-stack-lab
broker: {embedded: true}
regions: {site: {}}
controllers:
  global_cntl_1: {role: global}
  regional_cntl_1: {role: regional, region: site}
  local_cntl_1: {role: local, region: site, discovery: {targets: [10.77.0.0/24, "fd00:77::/64"]}}
lab: {mode: namespace, devices: 20, snmp: 10, ipv6: "fd00:77::/64"}
"""


def test_plane_with_a_lab_finds_devices_of_both_families(tmp_path):
    (tmp_path / "lab.yaml").write_text(FILE)
    up, devices, links = in_namespace(UP.format(folder=tmp_path))
    assert up[0] == 0, up
    found = json.loads(devices[1])["devices"]
    both = [item for item in found if len(item["addresses"]) == 2]
    assert len(both) == 20
    assert all(item["addresses"][1] == own(item["addresses"][0]) for item in both)
    assert all(item["protocols"][:2] == ["arp", "icmp"] for item in both)
    assert "pdsno-" not in links  # the lab left nothing behind


def test_running_lab_keeps_its_ipv6_prefix(tmp_path):
    file = tmp_path / "lab.yaml"
    file.write_text(FILE)
    lab = plan_lab(require(str(file)))
    assert lab is not None
    file.write_text(FILE.replace("fd00:77", "fd00:78"))
    with pytest.raises(LabError, match="cannot change its IPv6 prefix: end it with pdsno down"):
        replan(lab, require(str(file)))

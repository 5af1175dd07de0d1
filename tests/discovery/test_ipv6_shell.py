"""IPv6 from the shell: a plane that discovers a link, what shows its devices, and ``pdsno scan``."""

from __future__ import annotations

import json

import pytest

from tests.discovery.test_ipv6 import HOSTS, NEAR, TWENTY

LINES = """
import json, os, subprocess, sys
env = os.environ | {{"COLUMNS": "80", "PDSNO_HOME": "{folder}"}}
shown = []
for words in {commands}:
    done = subprocess.run([sys.executable, "-m", "pdsno_cli", *words], capture_output=True, text=True,
                          timeout=50, env=env, cwd="{folder}")
    shown.append([done.returncode, done.stdout, done.stderr])
print(json.dumps(shown))
"""
FILE = """\
name: six
broker: {embedded: true}
regions: {zone-A: {prefixes: ["fd00:1::/48", 10.101.0.0/24]}}
controllers:
  global_cntl_1: {role: global}
  regional_cntl_1: {role: regional, region: zone-A}
  local_cntl_1:
    role: local
    region: zone-A
    discovery:
      targets: ["fd00:1::/64", "fd00:1:0:2::/120"]
      exclude: ["fd00:1::20/124"]
      protocols: [icmp, snmp]
      snmp: {timeout: 300ms}
"""


@pytest.fixture
def shell(in_namespace, tmp_path):
    """Return a function that runs commands on a link with twenty hosts; exit code, stdout, stderr each."""
    (tmp_path / "six.yaml").write_text(FILE)

    def run(*commands, **hosts):
        words = [text.split() for text in commands]
        text = LINES.format(commands=words, folder=tmp_path)
        return in_namespace(text, near=NEAR, hosts=HOSTS | hosts)

    return run


def test_plane_discovers_a_link_and_commands_take_its_addresses(shell):
    state = "six.yaml --state-dir state"
    validate, up, table, found, device, trace, stranger, prometheus, ansible = shell(
        "validate six.yaml",
        f"up {state} --cycles 2",
        f"devices {state}",
        f"devices {state} --json",
        f"device FD00:1:0:0:0::0010 {state}",
        f"trace fd00:1::10 {state} --json",
        f"trace fd00:1::20 {state} --no-probe --json",
        f"devices {state} --format prometheus",
        f"devices {state} --format ansible",
    )
    assert validate[0] == 0, validate
    assert up[0] == 0, up
    rows = [line.split() for line in table[1].splitlines()]
    sixteen = TWENTY[:16]  # the other four are excluded
    assert [row[0] for row in rows[1:]] == ["fd00:1::1", *sixteen]
    assert max(map(len, table[1].splitlines())) <= 80
    devices = json.loads(found[1])["devices"]
    assert [item["addresses"] for item in devices] == [["fd00:1::1"], *([a] for a in sixteen)]
    assert devices[1]["device_id"] == "mac:02:10:00:00:00:10"
    assert devices[1]["protocols"] == ["icmp", "snmp"]
    assert "fd00:1::10" in device[1], device
    checks = {
        item["check"]: (item["verdict"], item["text"]) for item in json.loads(trace[1])["checks"]
    }
    assert trace[0] == 0, trace
    assert checks["neighbour"][1].startswith(
        "fd00:1::10 is asked as a neighbour on fd00:1::/64: if"
    )
    assert checks["icmp"] == ("ok", checks["icmp"][1])
    assert "far-16" in checks["snmp"][1]
    assert stranger[0] == 1
    assert "local_cntl_1 never probes fd00:1::20" in stranger[1]
    targets = [item["targets"] for item in json.loads(prometheus[1])]
    assert targets == [[f"[{address}]:161"] for address in sixteen]
    assert "ansible_host: fd00:1::10" in ansible[1]


def test_scan_takes_links_addresses_and_excluded_prefixes(shell):
    link, some, none, elsewhere = shell(
        "scan fd00:1::/64 --timeout 300ms",
        "scan fd00:1::10,FD00:1::0011 fd00:1::20/124 --exclude fd00:1::11 --timeout 300ms --json",
        "scan fd00:1::99 --timeout 200ms",
        "scan fd00:5::/64 --timeout 200ms",
    )
    assert link[0] == 0, link
    assert [line.split()[0] for line in link[1].splitlines()[1:]] == ["fd00:1::1", *TWENTY]
    assert "21 devices at 1 IPv6 link in" in link[2]
    document = json.loads(some[1])
    assert document["addresses"] == 16
    assert document["links"] == []
    assert [item["addresses"] for item in document["devices"]] == [
        ["fd00:1::10"], ["fd00:1::21"], ["fd00:1::22"], ["fd00:1::23"],
    ]  # fmt: skip
    assert none[0] == 1
    assert "arp is of IPv4 only, and no target is" in none[2]
    assert elsewhere[0] == 1
    assert "no link of this machine has fd00:5::/64" in elsewhere[2]


def test_further_community_is_tried_on_the_neighbours_of_a_link(shell):
    ((_, text, _),) = shell(
        "scan fd00:1::/64 --community one --community two --timeout 200ms --json", snmp=False
    )
    document = json.loads(text)
    assert [p["targets"] for p in document["probes"]] == [0, 21, 21]
    assert "answered to the 2 communities" in " ".join(document["reasons"])

"""The inventory as real Ansible reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.cli.device_formats.ansible import NETWORK_OS, render
from pdsno_cli.discovery.identify.rules import RULES
from tests.cli.device_formats.samples import CONTEXT, EVIL, NETWORK, SECRET, facts, record
from tests.conftest import require


def ansible(folder, program, *words):
    done = subprocess.run(
        [require(program, str(Path(sys.executable).parent)), *words],
        cwd=folder,
        env={**os.environ, "ANSIBLE_HOME": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8",
             "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "[WARNING]" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def listed(tmp_path):
    """Return a function from devices to what ansible-inventory makes of them."""

    def listed(rows):
        (tmp_path / "hosts.yml").write_text(render(rows, CONTEXT), encoding="utf-8")
        return json.loads(ansible(tmp_path, "ansible-inventory", "-i", "hosts.yml", "--list"))

    return listed


def test_ansible_inventory_reads_hosts_groups_and_variables(listed):
    found = listed(NETWORK)
    hosts = found["_meta"]["hostvars"]
    assert set(hosts) == {"core", "edge", "10.0.0.3", "printer-1", "twin_10.0.0.5", "twin_10.0.0.6"}
    assert hosts["core"] == {
        "ansible_host": "10.0.0.1",
        "ansible_network_os": "cisco.ios.ios",
        "ansible_connection": "ansible.netcommon.network_cli",
        "pdsno_vendor": "Cisco",
        "pdsno_type": "switch",
        "pdsno_os": "IOS-XE",
        "pdsno_version": "17.9.4a",
        "pdsno_model": "C9300-48P",
        "pdsno_serial": "FOC1",
        "pdsno_location": "Hall 1",
        "pdsno_mac": "02:00:00:00:00:01",
        "pdsno_region": "zone-A",
        "pdsno_controller": "lc1",
    }
    assert "ansible_network_os" not in hosts["twin_10.0.0.5"]
    assert found["vendor_cisco"]["hosts"] == ["core"]
    assert found["type_router"]["hosts"] == ["edge"]
    assert found["region_zone_b"]["hosts"] == ["printer-1"]
    assert SECRET not in json.dumps(found)


def test_texts_of_devices_stay_texts(listed, tmp_path):
    hosts = listed(EVIL)["_meta"]["hostvars"]
    assert len(hosts) == len(EVIL)
    by_address = {item["ansible_host"]: item for item in hosts.values()}
    odd = by_address["10.0.1.3"]
    assert (odd["pdsno_serial"], odd["pdsno_version"], odd["pdsno_model"]) == (
        "0123", "1e3", "12:34:56",
    )  # fmt: skip
    assert odd["pdsno_location"] == "null"
    assert by_address["10.0.1.2"]["pdsno_vendor"] == "Ümlaut & Söhne"
    name = next(n for n, item in hosts.items() if item["ansible_host"] == "10.0.1.1")
    # debug evaluates templates: the variable must come out as the device sent it.
    words = ("-i", "hosts.yml", name, "-c", "local", "-m", "ansible.builtin.debug", "-a")
    shown = ansible(tmp_path, "ansible", *words, "var=pdsno_location")
    assert "{{ 7 * 7 }}" in shown
    assert "49" not in shown
    assert not Path("/tmp/owned").exists()


def test_every_network_os_is_a_system_that_identification_names():
    assert set(NETWORK_OS) <= {rule.os for rule in RULES}


def test_ansible_inventory_reads_hosts_with_ipv6_addresses(listed):
    rows = facts(record("fd00:1::9"), record("fd00:1::a", "twin"), record("fd00:1::b", "twin"))
    hosts = listed(rows)["_meta"]["hostvars"]
    assert {name: item["ansible_host"] for name, item in hosts.items()} == {
        "fd00:1::9": "fd00:1::9",
        "twin_fd00-1--a": "fd00:1::a",
        "twin_fd00-1--b": "fd00:1::b",
    }

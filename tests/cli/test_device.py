"""`pdsno device`: what a run's stores know of it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from tests.commands import pdsno

PDSNO = str(Path(sys.executable).with_name("pdsno"))
ZONE_A = Path(__file__).parents[2] / "topologies" / "zone-a.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs a command on a topology that is up, with a lab of 12 devices."""
    folder = tmp_path_factory.mktemp("device")
    file = folder / "topology.yaml"
    file.write_text(
        ZONE_A.read_text()
        .replace("devices: 53", "devices: 12")
        .replace("snmp: 25", "snmp: 12")
        .replace("127.77.1.1-127.77.1.30", "127.106.1.1-127.106.1.6")
        .replace("127.77.2.1-127.77.2.23", "127.106.2.1-127.106.2.6")
        .replace("name: zone-a", "name: one-device")
        .replace("root: pdsno", f"root: pdsno-device-{os.getpid()}")
        .replace("interval: 30s", "interval: 1s")
    )

    def run(*words, status=0):
        env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
        done = pdsno(*words, "--state-dir", folder / "state", env=env, timeout=90)
        assert done.returncode == status, done.stderr
        return done

    run("up", str(file), "-d")
    run("wait", str(file), "--for", "cycles=1")
    try:
        yield lambda *words, status=0: run(*words[:2], str(file), *words[2:], status=status)
    finally:
        run("down", str(file))


def test_a_device_is_shown_by_address_and_by_name(run):
    by_name = run("device", "sw-core-02").stdout
    assert by_name.startswith("sw-core-02\n  state        active\n  type         switch (")
    assert "  addresses    127.106.1.2\n" in by_name
    assert all(len(line) <= 80 for line in by_name.splitlines())
    document = json.loads(run("device", "127.106.1.2", "--json").stdout)
    assert document["format_version"] == 1
    assert document["device"]["sys_name"] == "sw-core-02"
    assert document["device"]["state"] == "active"
    assert document["evidence"]["vendor"] == "enterprise number 2011"
    assert "  vendor       Huawei (enterprise number 2011)\n" in by_name


def test_a_device_that_is_not_there_is_exit_2(run):
    done = run("device", "sw-cor-02", status=2)
    assert done.stderr == "error: no device 'sw-cor-02': did you mean 'sw-core-02'?\n"


def test_a_switch_has_interfaces_and_neighbours(run):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        detail = json.loads(run("device", "sw-core-02", "--json").stdout)["detail"]
        if detail and detail.get("interfaces"):
            break
    names = {item["name"] for item in detail["neighbours"]}
    assert {"rt-edge-01", "sw-access-03"} <= names
    assert "XGigabitEthernet0/0/1" in {item["name"] for item in detail["interfaces"]}

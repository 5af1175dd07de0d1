"""`pdsno devices` and its formats, on the store of a run of zone-a."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdsno_cli.cli import devices
from pdsno_cli.cli.device_formats import FORMATS
from tests.commands import pdsno

PDSNO = str(Path(sys.executable).with_name("pdsno"))
ZONE_A = Path(__file__).parents[2] / "topologies" / "zone-a.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs a command with the state of one cycle of a lab of 12 devices."""
    folder = tmp_path_factory.mktemp("devices")
    text = (
        ZONE_A.read_text()
        .replace("devices: 53", "devices: 24")
        .replace("snmp: 25", "snmp: 24")
        .replace("127.77.1.1-127.77.1.30", "127.105.1.1-127.105.1.12")
        .replace("127.77.2.1-127.77.2.23", "127.105.2.1-127.105.2.12")
        .replace("name: zone-a", "name: formats")
        .replace("root: pdsno", f"root: pdsno-formats-{os.getpid()}")
    )
    file = folder / "topology.yaml"
    file.write_text(text)

    def run(*words, status=0):
        env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
        done = pdsno(*words[:1], file, *words[1:], "--state-dir", folder / "state", env=env)
        assert done.returncode == status, done.stderr
        return done

    up = [PDSNO, "up", file, "--cycles", "1", "--state-dir", folder / "state"]
    subprocess.run(up, capture_output=True, check=True, timeout=90)
    return run


def test_the_names_of_formats_are_those_that_exist():
    assert set(devices._FORMATS) == {"table", "wide", "json", *FORMATS}


def test_where_filters_every_format(run):
    words = ("devices", "--where", "type=switch,vendor=Cisco")
    document = json.loads(run(*words, "--json").stdout)
    assert {item["extra"]["vendor"] for item in document["devices"]} == {"Cisco"}
    count = len(document["devices"])
    assert count >= 1
    assert len(run(*words).stdout.splitlines()) == 1 + count
    assert len(run(*words, "--format", "csv").stdout.splitlines()) == 1 + count
    assert len(json.loads(run(*words, "--format", "prometheus").stdout)) == count
    assert run(*words, "--format", "ansible").stdout.count("ansible_host:") == count


def test_wide_is_the_table_with_every_column(run):
    wide = run("devices", "--format", "wide").stdout
    assert wide == run("devices", "--wide").stdout
    assert "PROTOCOLS" in wide
    assert all(len(line) <= 80 for line in run("devices").stdout.splitlines())


def test_nothing_that_matches_is_said(run):
    done = run("devices", "--where", "name=nobody")
    assert done.stderr == "none of 24 devices matches --where\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "vendr=x"), "unknown field 'vendr': did you mean 'vendor'?"),
        (("--format", "ansibel"), "unknown format 'ansibel': did you mean 'ansible'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(run, words, said):
    done = run("devices", *words, status=2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1

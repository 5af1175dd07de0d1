"""docs/brokers.md: its topologies have no findings, its Mosquitto configuration carries a real run."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pdsno_cli.lint.engine import check
from tests.certificates import make_certificates
from tests.commands import pdsno
from tests.conftest import require
from tests.e2e.conftest import runs, site, until
from tests.e2e.test_mosquitto import Mosquitto

from .test_docs import ROOT, fences, whole

__all__ = ["runs", "site"]  # fixtures
PAGE = ROOT / "docs" / "brokers.md"
PDSNO = Path(sys.executable).with_name("pdsno")
YAML = [match["text"] for match in fences(PAGE) if match["kind"] == "yaml"]
CONF, TRIAL = [match["text"] for match in fences(PAGE) if match["kind"] == "conf"]
(ACL,) = [match["text"] for match in fences(PAGE) if match["kind"] == "acl"]


@pytest.mark.parametrize("text", YAML, ids=lambda text: re.search(r"kind: (\w+)", text)[1])
def test_topology_of_the_page_has_no_findings(text, tmp_path):
    path = tmp_path / "topology.yaml"
    path.write_text(whole(text))
    assert [str(item) for item in check(path).diagnostics] == []


def test_pieces_of_the_advice_are_valid(tmp_path):
    pieces = re.findall(r"\| `((?:broker|topics|fallbacks): [^`]+)` \|", PAGE.read_text())
    assert len(pieces) >= 6
    for number, piece in enumerate(pieces):
        path = tmp_path / f"{number}.yaml"
        path.write_text(whole(piece.replace("broker: {", "broker: {host: 127.0.0.1, ", 1)
                              if "hosts" not in piece else piece + "\n"))  # fmt: skip
        errors = [item for item in check(path).diagnostics if item.severity.value == "error"]
        assert errors == [], piece


def broker(folder: Path, port: int) -> Mosquitto:
    """Start Mosquitto with the page's configuration, its files in a folder of the test's own."""
    make_certificates(folder)
    passwords, acl = folder / "pdsno.passwd", folder / "pdsno.acl"
    subprocess.run([require("mosquitto_passwd"), "-b", "-c", passwords, "pdsno", "a password"],
                   check=True, capture_output=True)  # fmt: skip
    acl.write_text(ACL)
    text = CONF.replace("/etc/mosquitto/certs/server.", f"{folder}/server.")
    text = text.replace("/etc/mosquitto/", f"{folder}/")
    head, *lines = text.splitlines()
    assert head == "listener 8883"
    for path in (passwords, acl, folder / "server.key"):
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return Mosquitto(folder, port, *lines)


def test_safe_configuration_carries_a_run_that_doctor_and_check_approve(site, free_port, tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    made = broker(folder, free_port)
    try:
        until(made.answers, "Mosquitto's start")
        site.root = "pdsno"  # as in the access list
        declared = next(text for text in YAML if "8883" in text and "kind: mosquitto" in text)
        found = json.dumps(yaml.safe_load(declared)["broker"])
        found = found.replace("mqtt.example.net", "localhost").replace("8883", str(free_port))
        found = found.replace("/etc/ssl/certs/our-ca.pem", str(folder / "ca.pem"))
        site.write(broker=found, interval="1h")
        password = {"MQTT_PASSWORD": "a password"}
        site.up(env=password).ready()
        for command in ("check", "doctor"):
            words = (command, site.file, "--state-dir", site.state, "--json")
            done = pdsno(*words, env={**os.environ, **password})
            checks = json.loads(done.stdout)["checks"]
            assert {item["verdict"] for item in checks} <= {"ok", "skip"}, checks
            assert done.returncode == 0
        another = {**os.environ, "MQTT_PASSWORD": "another"}
        wrong = pdsno("doctor", site.file, "--state-dir", site.state, env=another)
        assert wrong.returncode == 1
        assert "broker.username and broker.password" in wrong.stdout
    finally:
        made.end()


def test_trial_configuration_listens_on_loopback_only():
    assert TRIAL == "listener 1883 127.0.0.1\nallow_anonymous true\n"

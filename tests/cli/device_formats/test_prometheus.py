"""Targets of Prometheus, read by promtool."""

from __future__ import annotations

import json
import subprocess

import pytest

from pdsno_cli.cli.device_formats.prometheus import render
from tests.cli.device_formats.samples import CONTEXT, EVIL, NETWORK, SECRET, facts, record
from tests.conftest import require

CONFIG = """\
scrape_configs:
  - job_name: snmp
    metrics_path: /snmp
    file_sd_configs: [{files: [targets.json]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "127.0.0.1:9116"}
"""


def labels(*rows):
    return [item["labels"] for item in json.loads(render(list(rows), CONTEXT))]


@pytest.mark.parametrize("rows", [NETWORK, EVIL, []], ids=["network", "evil", "none"])
def test_promtool_accepts_the_targets(tmp_path, rows):
    (tmp_path / "targets.json").write_text(render(rows, CONTEXT), encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(CONFIG)
    done = subprocess.run(
        [require("promtool"), "check", "config", "prometheus.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_promtool_refuses_what_is_none(tmp_path):
    (tmp_path / "targets.json").write_text('[{"targets": 5}]')
    (tmp_path / "prometheus.yml").write_text(CONFIG)
    done = subprocess.run(
        [require("promtool"), "check", "config", "prometheus.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1


def test_targets_are_those_that_speak_snmp_with_a_port_that_is_not_161():
    found = json.loads(render(NETWORK, CONTEXT))
    assert [item["targets"] for item in found] == [
        ["10.0.0.1"], ["10.0.0.2:1161"], ["10.0.0.4"], ["10.0.0.5"], ["10.0.0.6"],
    ]  # fmt: skip


def test_ipv6_targets_are_in_brackets_with_their_port(tmp_path):
    rows = facts(record("fd00:1::9", "one"), record("fd00:1::a", "two", local="lc2"))
    text = render(rows, CONTEXT)
    assert [item["targets"] for item in json.loads(text)] == [
        ["[fd00:1::9]:161"],
        ["[fd00:1::a]:1161"],
    ]
    (tmp_path / "targets.json").write_text(text, encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(CONFIG)
    done = subprocess.run(
        [require("promtool"), "check", "config", "prometheus.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_labels_name_the_credential_and_never_the_secret():
    text = render(NETWORK, CONTEXT)
    assert SECRET not in text
    assert [item["labels"]["__param_auth"] for item in json.loads(text)] == [
        "public_v2", "snmp_community", "core_agents", "lc_4", "backup_agents",
    ]  # fmt: skip


def test_a_credential_known_by_its_number_is_named_by_controller_and_number():
    rows = facts(record("10.0.0.1", local="lc2", credential="7"))
    assert labels(*rows)[0]["__param_auth"] == "lc2_7"


def test_labels_name_the_module_of_vendor_and_type():
    rows = facts(
        record("10.0.0.1", vendor="Cisco", type="switch"),
        record("10.0.0.2", vendor="Cisco", type="phone"),
        record("10.0.0.3", vendor="Canon", type="printer"),
        record("10.0.0.4", vendor="APC", type="power"),
        record("10.0.0.5"),
    )
    assert [item["__param_module"] for item in labels(*rows)] == [
        "if_mib,cisco_device", "if_mib", "if_mib,printer_mib", "if_mib,apcups", "if_mib",
    ]  # fmt: skip

"""The lab that a topology declares, and requests to change it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pdsno_cli.lab.plan import LabUser
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import LabError
from pdsno_cli.runtime.lab import (
    change,
    laid_out_devices,
    plan_lab,
    planned_devices,
    replan,
)

FILE = """\
name: lab-runtime
regions: {{r: {{}}}}
controllers:
  gc: {{role: global}}
  rc: {{role: regional, region: r}}
  lc:
    role: local
    region: r
    discovery: {{targets: {targets}, snmp: {{community: "${{LAB_COMMUNITY}}", port: 16199}}}}
lab: {{mode: {mode}, devices: 4, snmp: 2}}
"""
CREDENTIALS = """credentials: [
      {community: "file:community"},
      {user: ops, auth: {protocol: sha256, password: "file:auth"}, privacy: {protocol: aes, password: "file:privacy"}},
      {user: view}]"""


@pytest.fixture
def topology(tmp_path):
    """Return a function that loads a topology with a lab of a mode."""

    def load(mode="loopback"):
        targets = {"loopback": "127.109.1.0/29", "namespace": "10.77.9.0/29"}[mode]
        file = tmp_path / f"{mode}.yaml"
        file.write_text(FILE.format(mode=mode, targets=targets))
        return require(str(file))

    return load


def test_devices_are_shown_without_their_secrets(topology, monkeypatch):
    monkeypatch.delenv("LAB_COMMUNITY", raising=False)
    shown = laid_out_devices(topology())
    assert {item.community for item in shown} == {"${LAB_COMMUNITY}"}
    monkeypatch.setenv("LAB_COMMUNITY", "resolved")
    planned = planned_devices(topology())
    assert {item.community for item in planned} == {"resolved"}
    assert [item.sys_name for item in planned] == [item.sys_name for item in shown]


def test_a_topology_without_a_lab_has_none(topology):
    bare = replace(topology(), lab=None)
    assert plan_lab(bare) is None
    with pytest.raises(LabError, match="lab-runtime has no lab"):
        laid_out_devices(bare)
    with pytest.raises(LabError, match="this topology has no lab"):
        change(None, {"change": "remove", "address": "127.109.1.1"})


def test_a_running_lab_cannot_change_its_mode(topology, monkeypatch):
    monkeypatch.setenv("LAB_COMMUNITY", "x")
    lab = plan_lab(topology())
    assert lab.mode == "loopback"
    with pytest.raises(LabError, match="from loopback to namespace: end it with pdsno down"):
        replan(lab, topology("namespace"))
    assert plan_lab(topology("namespace")).mode == "namespace"


def test_agents_answer_the_declared_communities_and_users_in_turn(tmp_path):
    file = tmp_path / "credentials.yaml"
    file.write_text(
        FILE.format(mode="loopback", targets="127.109.1.0/29")
        .replace('community: "${LAB_COMMUNITY}"', CREDENTIALS)
        .replace("snmp: 2}", "snmp: 3}")
    )
    for name, text in (("community", "a"), ("auth", "auth-secret"), ("privacy", "privacy-secret")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    asked = [
        (item.community, item.user) for item in planned_devices(require(str(file))) if item.snmp
    ]
    ops = LabUser(name="ops", auth=("sha256", "auth-secret"), privacy=("aes", "privacy-secret"))
    assert asked == [("a", None), ("", ops), ("", LabUser(name="view"))]

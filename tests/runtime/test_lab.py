"""The lab that a topology declares, and requests to change it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pdsno_cli.lab.plan import LabUser
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import LabError
from pdsno_cli.runtime.lab import (
    _credentials,
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


def test_credentials_become_communities_and_users():
    class Key:
        def __init__(self, protocol, password):
            self.protocol, self.password = protocol, password

    class One:
        def __init__(self, community=None, user=None, auth=None, privacy=None):
            self.community, self.user, self.auth, self.privacy = community, user, auth, privacy

    class Settings:
        tried = (
            One(community="a"),
            One(user="ops", auth=Key("sha256", "b"), privacy=Key("aes", "c")),
            One(user="view"),
        )

    assert _credentials(Settings(), str.upper) == [
        "A",
        LabUser(name="ops", auth=("sha256", "B"), privacy=("aes", "C")),
        LabUser(name="view"),
    ]

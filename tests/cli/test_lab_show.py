"""`pdsno lab show`: what a lab starts with, from the file alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pdsno_cli.cli.app import build
from pdsno_cli.model.errors import LabError

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
RUN = CliRunner()


def show(name, *words):
    done = RUN.invoke(
        build(), ["lab", "show", str(TOPOLOGIES / f"{name}.yaml"), *words], catch_exceptions=False,
        env={"COLUMNS": "80"},
    )  # fmt: skip
    assert done.exit_code == 0
    return done.stdout


def test_zone_a_has_53_devices_that_fit_80_columns():
    lines = show("zone-a").splitlines()
    assert len(lines) == 1 + 53
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("127.77.1.1   rt-edge-01")


@pytest.mark.parametrize(("name", "arp", "icmp"), [("zone-a", 0, 53), ("lan-300", 300, 270)])
def test_protocols_are_those_that_each_answers(name, arp, icmp):
    devices = json.loads(show(name, "--json"))["devices"]
    counts = [sum(p in item["protocols"] for item in devices) for p in ("arp", "icmp")]
    assert counts == [arp, icmp]


def test_every_device_but_the_router_is_plugged_into_one_that_is_there():
    devices = {item["address"]: item for item in json.loads(show("zone-a", "--json"))["devices"]}
    roots = [item["name"] for item in devices.values() if item["uplink"] is None]
    assert roots == ["rt-edge-01"]
    for item in devices.values():
        if item["uplink"] is not None:
            assert devices[item["uplink"]["address"]]["name"] == item["uplink"]["device"]
            assert item["uplink"]["port"]


def test_a_topology_without_a_lab_is_refused():
    with pytest.raises(LabError, match="external-broker has no lab"):
        show("external-broker")

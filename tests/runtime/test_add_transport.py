"""The transport that docs/reliability.md adds: its steps are followed in a copy, which is run."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest

from tests.derived import DERIVED
from tests.derived import TOPOLOGY as SCHEMA
from tests.package_copy import ROOT, changed, copy_package, insert, python, snippets

TRANSPORT, WIRING = Path("pdsno_cli/messaging/udp.py"), Path("pdsno_cli/runtime/udp_wiring.py")
REGISTRY = Path("pdsno_cli/model/transports.py")


@pytest.fixture
def steps(tmp_path):
    """Follow the page in a copy of the package; return its folder."""
    copy_package(tmp_path, *DERIVED, Path("tests/derived.py"))
    transport, wiring, entry = snippets(ROOT / "docs/reliability.md", "Add a transport")
    (tmp_path / TRANSPORT).write_text(transport)
    (tmp_path / WIRING).write_text(wiring)
    insert(tmp_path / REGISTRY, before=")\n\nFACTS", text=indent(entry.rstrip() + ",\n", "    "))
    python(tmp_path, "-m", "tests.derived")
    return tmp_path


def write(folder, fallbacks):
    file = folder / "topology.yaml"
    file.write_text(
        f"name: toy\nbroker: {{embedded: true}}\nfallbacks: {fallbacks}\nregions: {{r: {{}}}}\n"
        "controllers:\n  gc: {role: global}\n  rc: {role: regional, region: r}\n"
        "  lc: {role: local, region: r, discovery: {targets: 127.101.41.1, protocols: [icmp]}}\n"
        "lab: {mode: loopback, devices: 1}\n"
    )
    return str(file)


def test_a_transport_is_three_files_and_what_derives_from_them(steps):
    assert changed(steps) == {TRANSPORT, WIRING, REGISTRY, SCHEMA}


def test_an_added_transport_alone_carries_a_report_to_the_top(steps):
    file = write(steps, "[udp]")
    assert "PDS104" in python(ROOT, "-m", "pdsno_cli", "validate", file, status=1)
    python(steps, "-m", "pdsno_cli", "validate", file)
    state = ("--state-dir", str(steps / "state"))
    python(steps, "-m", "pdsno_cli", "up", file, "--cycles", "1", *state)
    shown = json.loads(python(steps, "-m", "pdsno_cli", "devices", file, "--json", *state))
    assert [device["addresses"] for device in shown["devices"]] == [["127.101.41.1"]]
    assert not list((steps / "state" / "udp").iterdir())

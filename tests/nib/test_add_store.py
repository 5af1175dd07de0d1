"""The store that docs/stores.md adds: its steps are followed in a copy, and the copy is run."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest

from tests.package_copy import ROOT, changed, copy_package, insert, python, snippets

PAGE = Path("docs/stores.md")
MODULE, REGISTRY = Path("pdsno_cli/nib/rollback.py"), Path("pdsno_cli/model/stores.py")


@pytest.fixture
def steps(tmp_path):
    """Follow the page in a copy of the package; return its folder."""
    copy_package(tmp_path)
    module, entry = snippets(ROOT / PAGE, "Add a store")
    insert(tmp_path / REGISTRY, before=")\n\nFACTS", text=indent(entry.rstrip() + ",\n", "    "))
    (tmp_path / MODULE).write_text(module)
    return tmp_path


def test_a_store_is_two_files(steps):
    assert changed(steps) == {MODULE, REGISTRY}


def test_an_added_store_is_declared_in_a_topology_which_runs_with_it(steps):
    file, folder = steps / "topology.yaml", steps / "stores here"
    folder.mkdir()
    file.write_text(
        f"name: toy\nbroker: {{embedded: true}}\nregions: {{r: {{}}}}\n"
        f"defaults: {{nib: 'sqlite+rollback://{folder}'}}\n"
        "controllers:\n  gc: {role: global}\n  rc: {role: regional, region: r}\n"
        "  lc: {role: local, region: r, discovery: {targets: 127.101.42.1, protocols: [icmp]}}\n"
        "lab: {mode: loopback, devices: 1}\n"
    )
    assert "PDS222" in python(ROOT, "-m", "pdsno_cli", "validate", str(file), status=1)
    python(steps, "-m", "pdsno_cli", "validate", str(file))
    state = ("--state-dir", str(steps / "state"))
    python(steps, "-m", "pdsno_cli", "up", str(file), "--cycles", "1", *state)
    shown = json.loads(python(steps, "-m", "pdsno_cli", "devices", str(file), "--json", *state))
    assert [device["addresses"] for device in shown["devices"]] == [["127.101.42.1"]]
    python(steps, "-m", "pdsno_cli", "audit", str(file), *state)
    files = {path.name: path.read_bytes()[18:20] for path in folder.iterdir()}
    # 1 for a rollback journal (https://sqlite.org/fileformat.html#file_format_version_numbers).
    assert files == {f"toy%2F{name}.db": b"\1\1" for name in ("gc", "rc", "lc")}
    assert not list((steps / "state").glob("stores/*.db"))

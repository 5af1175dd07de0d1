"""The probe that docs/discovery.md adds: its steps are followed in a copy, and the copy is run."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent

import pytest

from tests.derived import DERIVED
from tests.derived import DISCOVERY as PAGE
from tests.derived import TOPOLOGY as SCHEMA
from tests.package_copy import ROOT, changed, copy_package, insert, python, snippets

MODULE, REGISTRY = Path("pdsno_cli/discovery/qotd.py"), Path("pdsno_cli/model/probes.py")
QUOTE = "to be\x1b[31m or not"
CYCLES = """
import json, sys
from msgspec.structs import replace
from pdsno_cli.discovery.changes import decide
from pdsno_cli.discovery.sweep import preload, sweep
from pdsno_cli.model.devices import Observation, ProbeResult
from pdsno_cli.spec.topology import Snmp

preload(["qotd"], sys.argv[1:])
result = sweep(sys.argv[1:], ["qotd"], Snmp())
(seen,), (probe,) = result.observations, result.probes
seen = replace(seen, protocols=("icmp", *seen.protocols))
silent = Observation(addresses=seen.addresses, protocols=("icmp",))
pinged = ProbeResult(protocol="icmp", targets=1, answers=1, seconds=0.1)
known, cycles = {}, []
for found in (seen, seen, silent, silent, silent):
    changes = decide(known, [found], probes=[probe, pinged], missed_cycles=3)
    known = changes.known
    (device,) = changes.active
    cycles.append([len(changes.new), len(changes.updated), device.extra or None])
print(json.dumps([[probe.targets, probe.answers, probe.error], cycles]))
"""


@pytest.fixture
def steps(tmp_path, agent):
    """Follow the page in a copy of the package; yield its folder and the responder's address."""
    copy_package(tmp_path, *DERIVED, Path("tests/derived.py"))
    module, entry = snippets(ROOT / PAGE, "Add a probe")
    insert(tmp_path / REGISTRY, before=")\n\nFACTS", text=indent(entry.rstrip() + ",\n", "    "))
    address = "127.101.40.1"
    with agent(address, lambda _: QUOTE.encode()) as port:
        # Ports below 1024 are root's.
        (tmp_path / MODULE).write_text(module.replace("PORT = 17\n", f"PORT = {port}\n"))
        python(tmp_path, "-m", "tests.derived")
        yield tmp_path, address


def test_a_probe_is_two_files_and_what_derives_from_them(steps):
    folder, _ = steps
    assert changed(folder) == {MODULE, REGISTRY, SCHEMA, PAGE}
    assert "\n| `qotd` | Quote of the Day (RFC 865) | `qotd` |" in (folder / PAGE).read_text()


def test_a_sweep_with_an_added_probe_keeps_its_field_as_long_as_the_others(steps):
    folder, address = steps
    probe, cycles = json.loads(python(folder, "-c", CYCLES, address, "127.101.40.2"))
    assert probe == [2, 1, None]
    field = {"qotd": "to be [31m or not"}
    assert cycles == [[1, 0, field], [0, 0, field], [0, 0, field], [0, 0, field], [0, 1, None]]


def test_an_added_probe_is_declared_in_a_topology_and_its_field_arrives_at_the_top(steps):
    folder, address = steps
    file = folder / "topology.yaml"
    file.write_text(
        "name: toy\nbroker: {embedded: true}\nregions: {r1: {}}\n"
        "controllers:\n  gc: {role: global}\n  rc: {role: regional, region: r1}\n"
        f"  lc: {{role: local, region: r1, discovery: {{targets: {address}, protocols: [qotd]}}}}\n"
    )
    assert "PDS104" in python(ROOT, "-m", "pdsno_cli", "validate", str(file), status=1)
    python(folder, "-m", "pdsno_cli", "validate", str(file))
    state = ("--state-dir", str(folder / "state"))
    python(folder, "-m", "pdsno_cli", "up", str(file), "--cycles", "1", *state)
    shown = json.loads(python(folder, "-m", "pdsno_cli", "devices", str(file), "--json", *state))
    (device,) = shown["devices"]
    assert (device["protocols"], device["extra"]) == (["qotd"], {"qotd": "to be [31m or not"})

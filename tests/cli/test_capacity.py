"""`pdsno capacity` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from pdsno_cli.cli.app import build
from pdsno_cli.cli.capacity import MOST

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def run(*words: str) -> str:
    done = CliRunner().invoke(build(), ["capacity", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def keys(text: str, table: str) -> list[str]:
    block = next(part for part in text.split("\n\n") if part.startswith(table))
    return [line.split()[0] for line in block.splitlines()[1:]]


def test_tables_fit_the_terminal_with_ids_uncut():
    for path in TOPOLOGIES.glob("*.yaml"):
        shown = run(str(path))
        assert max(map(len, shown.splitlines())) <= 80
    assert "local_cntl_zone-a_001" in run(str(TOPOLOGIES / "zone-a.yaml"))


def test_busiest_keys_are_shown_and_all_with_all():
    path = str(TOPOLOGIES / "campus-200.yaml")
    assert len(keys(run(path), "EACH CONSUMER")) == MOST + 1
    assert "… 1 more: --all" in run(path)
    assert len(keys(run(path, "--all"), "EACH CONSUMER")) == 9


def test_outage_and_interval_that_are_too_short_are_marked(tmp_path):
    file = tmp_path / "t.yaml"
    text = (TOPOLOGIES / "zone-a.yaml").read_text()
    text = text.replace("embedded: true", "outage: 24h")
    text = text.replace("scan_interval: 30s", "scan_interval: 2s")
    file.write_text(text)
    shown = run(str(file))
    assert "of 24h (too short)" in shown
    assert "2s (too short)" in shown


def test_json_has_the_figures_and_what_they_assume():
    document = json.loads(run(str(TOPOLOGIES / "zone-a.yaml"), "--json"))
    assert (document["format_version"], document["topology"]) == (1, "zone-a")
    assert document["message_bytes"]["discovery"] == 1700
    assert document["consumers"][0]["key"] == "global_cntl_1"
    assert document["retained"] == 6
    assert document["sweeps"][0]["addresses"] == 30
    assert document["backlogs"][0]["limit"] == "age"

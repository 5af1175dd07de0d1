"""`pdsno topics` as a user runs it, and which file it takes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from pdsno_cli.cli.target import topology_files
from tests.commands import pdsno

ROOT = Path(__file__).parents[2]
PDSNO = Path(sys.executable).parent / "pdsno"
GOOD = "name: {}\ncontrollers: {{g: {{role: global}}}}\n"


def topics(*words, cwd, env=None):
    unset = {key: value for key, value in os.environ.items() if key != "PDSNO_TOPOLOGY"}
    return pdsno("topics", *words, cwd=cwd, env={**unset, **(env or {})})


def names(done):
    return [item["name"] for item in json.loads(done.stdout)["topologies"]]


def test_file_is_the_named_one_else_the_variable_else_here_else_the_folder(tmp_path):
    assert names(topics("--json", cwd=tmp_path)) == [None]
    (tmp_path / "topologies").mkdir()
    for name in ("b", "a"):
        (tmp_path / "topologies" / f"{name}.yaml").write_text(GOOD.format(name))
    assert names(topics("--json", cwd=tmp_path)) == ["a", "b"]
    (tmp_path / "topology.yaml").write_text(GOOD.format("here"))
    assert names(topics("--json", cwd=tmp_path)) == ["here"]
    env = {"PDSNO_TOPOLOGY": "topologies/b.yaml"}
    assert names(topics("--json", cwd=tmp_path, env=env)) == ["b"]
    assert names(topics("--json", "topologies/a.yaml", cwd=tmp_path, env=env)) == ["a"]


def test_missing_file_is_named(tmp_path):
    assert topology_files(tmp_path / "gone.yaml") == [tmp_path / "gone.yaml"]
    done = topics("gone.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: cannot read gone.yaml: No such file or directory\n"


def test_invalid_topology_is_reported_not_drawn(tmp_path):
    (tmp_path / "topology.yaml").write_text("name: x\ncontrollers: {g: {role: globl}}\n")
    done = topics(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "topology.yaml:2:25: error[PDS104]" in done.stderr


@pytest.mark.parametrize("format_", ["tree", "table", "json", "markdown", "mermaid"])
def test_every_format_is_drawn_for_one_and_for_many(format_):
    for words in (["topologies/zone-a.yaml"], []):
        done = topics("--format", format_, *words, cwd=ROOT)
        assert done.returncode == 0
        assert "zone-a" in done.stdout
        assert not done.stderr


def test_wrong_format_gets_a_suggestion():
    done = topics("--format", "mermaidd", cwd=ROOT)
    assert done.returncode == 2
    assert "did you mean 'mermaid'?" in done.stderr

"""Completion by real shells; what zsh and fish print is looked at where they are installed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.conftest import PDSNO, WAIT

BASH = """
eval "$SCRIPT"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_pdsno_completion pdsno
printf '%s\n' "${COMPREPLY[@]}"
"""
# zsh prints the candidates that it would pass to its own functions.
ZSH = """
compdef() { : }
_arguments() { print -r -- "$*" }
_files() { print files }
eval "$SCRIPT"
words=("$@")
CURRENT=$#
_pdsno_completion
"""
FISH = """
echo $SCRIPT | source
complete -C (string join " " -- $argv)
"""


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request, tmp_path, monkeypatch):
    """Return a function that has a shell complete the last word, and returns the candidates."""
    shell = require(request.param)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    env = {
        **os.environ,
        "PATH": f"{Path(PDSNO).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    script = subprocess.run(
        [PDSNO],
        env={**env, "_PDSNO_COMPLETE": f"source_{request.param}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    command = {
        "bash": [shell, "--norc", "--noprofile", "-c", BASH, "bash"],
        "zsh": [shell, "-f", "-c", ZSH, "zsh"],
        "fish": [shell, "--no-config", "-c", FISH],
    }[request.param]

    def run(*words):
        done = subprocess.run(
            [*command, "pdsno", *words],
            env={**env, "SCRIPT": script},
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.stderr == ""
        if request.param == "zsh":
            return re.findall(r'"([^"]*)"(?::"[^"]*")?', done.stdout)  # with or without a help
        return [line.split("\t")[0] for line in done.stdout.splitlines() if line]

    return run


def test_names_controllers_regions_scopes_and_formats_are_completed(complete, site):
    site.write(interval="1h")
    site.up().ready()
    name = site.root
    assert complete("restart", name[:4]) == [name]
    assert complete("restart", name, "l") == ["lc1", "lc2"]
    assert complete("restart", name, "lc1", "l") == ["lc2"]
    assert complete("restart", "r") == ["rc1"]  # of the only one that is up
    assert complete("discover", name, "")[:2] == ["lc1", "lc2"]
    assert complete("ps", name, "--region", "r") == ["r1"]
    assert complete("ps", name, "--role", "l") == ["local"]
    assert complete("devices", name, "--of", "g") == ["g1"]
    assert complete("policy", "reset", "--scope", "g") == ["global"]
    assert complete("fault", "controller", name, "lc1", "k") == ["kill"]
    assert complete("topics", "--format", "ta") == ["table"]
    assert complete("validate", "--format", "sa") == ["sarif"]
    assert complete("wait", "--for", "re") == ["ready"]
    assert complete("rule", "PDS10")[0] == "PDS101"
    assert set(complete("st")) == {"start", "status", "stop"}


def test_controllers_of_a_file_are_completed_though_nothing_runs(complete, site):
    file = site.write()
    assert complete("restart", str(file), "lc") == ["lc1", "lc2"]
    assert complete("devices", str(file), "--of", "r") == ["rc1"]


def test_an_error_is_silent(complete, site):
    site.file.write_text("name: [")
    assert complete("devices", str(site.file), "--of", "r") == []

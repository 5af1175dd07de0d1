"""The sessions of docs/operations.md are run as they stand, one after the other; `PDSNO_UPDATE_GOLDEN=1` rewrites them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
SESSION = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Versions, epochs and numbers, sizes, ports, seconds with their column's padding, times.
VARIABLE = re.compile(
    r"\b\d{10}(/\d+)?\b|\d+ B\b|127\.0\.0\.1:\d{4,5}\b|\d+(\.\d+)? ms\b"
    r"|\b\d+ sent\b|\b\d+ on their way\b|\d+\.\d+ s\b|[\d-]{10}T[\d:.]+Z"
    r"|\b(\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}\b"
)


@pytest.mark.usefixtures("zone_a")
def test_sessions_print_what_the_page_shows(tmp_path):
    for shown in SESSION.findall(PAGE.read_text()):
        printed = ""
        try:
            for command in re.findall(r"^\$ (.*)$", shown, re.MULTILINE):
                printed += f"$ {command}\n{run(command, tmp_path)}"
        finally:
            run("pdsno down topologies/zone-a.yaml", tmp_path)
        if os.environ.get("PDSNO_UPDATE_GOLDEN"):
            PAGE.write_text(PAGE.read_text().replace(shown, printed))
        else:
            assert VARIABLE.sub("#", printed) == VARIABLE.sub("#", shown)


def run(command: str, state: Path) -> str:
    program, *words = command.split()
    assert program == "pdsno"
    done = subprocess.run(
        [Path(sys.executable).with_name("pdsno"), *words],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "XDG_STATE_HOME": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout

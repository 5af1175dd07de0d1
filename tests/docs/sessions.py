"""Runs the console sessions of a page as they stand: what each command prints, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SESSION = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Versions, epochs and numbers, sizes, ports, seconds with their column's padding, times.
VARIABLE = re.compile(
    r"\b\d{10}(\d{3})?(/\d+)?\b|\d+ B\b|127\.0\.0\.1:\d{4,5}\b|\d+(\.\d+)? ms\b"
    r"|\b\d+ sent\b|\b\d+ on their way\b|\d+\.\d+ s\b|[\d-]{10}T[\d:.]+Z"
    r"|\b(\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}\b"
)


def sessions(page: Path) -> list[str]:
    """Return the sessions of a page."""
    return SESSION.findall(page.read_text())


def play(session: str, state: Path) -> str:
    """Run the commands of a session, then end zone-a; return the session with what they printed."""
    printed = ""
    try:
        for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
            printed += f"$ {command}\n{run(command, state)}"
    finally:
        run("pdsno down topologies/zone-a.yaml", state)
    return printed


def rewrites(page: Path, session: str, printed: str) -> bool:
    """Write what was printed into the page if ``PDSNO_UPDATE_GOLDEN`` asks for that."""
    if not os.environ.get("PDSNO_UPDATE_GOLDEN"):
        return False
    page.write_text(page.read_text().replace(session, printed))
    return True


def run(command: str, state: Path) -> str:
    """Run one pdsno command with a state directory of its own; return all that it printed."""
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

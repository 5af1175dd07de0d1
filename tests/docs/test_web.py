"""docs/web.md: its session prints what the page says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.sessions import ROOT, rewrites, run, sessions

PAGE = ROOT / "docs" / "web.md"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{32}")


def serve(command: str, state: Path) -> str:
    """Run ``pdsno web`` until it has printed its address, then Ctrl-C; return all that it printed."""
    served = subprocess.Popen(
        [Path(sys.executable).with_name("pdsno"), *command.split()[1:]],
        cwd=ROOT, env={**os.environ, "NO_COLOR": "1", "XDG_STATE_HOME": str(state)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with served.stdout as printed:
        lines = [printed.readline()]
        served.send_signal(signal.SIGINT)
        lines += printed
    assert served.wait(60) == 0
    return "".join(lines)


@pytest.mark.usefixtures("zone_a")
def test_the_session_prints_what_the_page_says(tmp_path):
    (session,) = sessions(PAGE)
    printed = ""
    try:
        for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
            act = serve if command.startswith("pdsno web") else run
            printed += f"$ {command}\n{act(command, tmp_path)}"
    finally:
        run("pdsno down topologies/zone-a.yaml", tmp_path)
    if not rewrites(PAGE, session, printed):
        assert ADDRESS.sub("#", printed) == ADDRESS.sub("#", session)

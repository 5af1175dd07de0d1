"""How long ``pdsno ls`` takes with one run and twenty that were killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PDSNO = str(Path(sys.executable).with_name("pdsno"))
ZONE_A = Path(__file__).parents[2] / "topologies" / "zone-a.yaml"
MOST = 0.5  # seconds


@pytest.mark.bench
@pytest.mark.usefixtures("zone_a")
def test_ls_of_twenty_dead_and_one_that_is_up(tmp_path):
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    def pdsno(*words):
        return subprocess.run([PDSNO, *words], env=env, check=True, capture_output=True, text=True)

    pdsno("up", "-d", str(ZONE_A))
    try:
        state = tmp_path / "pdsno" / "zone-a"
        for number in range(20):
            dead = state.with_name(f"dead-{number}")
            dead.mkdir()
            record = (state / "run.json").read_text().replace('"zone-a"', f'"dead-{number}"')
            (dead / "run.json").write_text(record)
        took = []
        for _ in range(5):
            began = time.perf_counter()
            lines = pdsno("ls").stdout.splitlines()
            took.append(time.perf_counter() - began)
        assert sum(" dead " in line for line in lines) == 20
        assert any(line.startswith("zone-a") and " 4/4 " in line for line in lines)
    finally:
        pdsno("down", str(ZONE_A))
        shutil.rmtree(tmp_path / "pdsno")
    print(f"\nls, 20 dead and one up: {min(took):.2f} s at best, {max(took):.2f} s at most")  # noqa: T201 - a bench prints
    assert min(took) <= MOST

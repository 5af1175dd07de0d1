"""What ps(1) shows of a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def titles(run) -> set[str]:
    found = (Path(f"/proc/{pid}/cmdline").read_bytes() for pid in run.members())
    return {line.rstrip(b"\0").decode() for line in found}


def test_each_process_is_titled_with_topology_and_controller(site):
    long = "regional_cntl_building-seven-north_00001"
    text = site.write(interval="1h").read_text()
    site.file.write_text(text.replace("rc1:", f"{long}:"))
    run = site.up().ready()
    parts = ("supervisor", "fork server", "broker", "lab", "g1", long, "lc1", "lc2")
    wanted = {f"pdsno {site.root} {part}" for part in parts}
    until(lambda: titles(run) == wanted, f"{wanted} instead of {titles(run)}")


def test_a_controller_alone_is_titled(site):
    site.write(interval="1h")
    run = site.up().ready()
    site.ask("stop", str(site.file), "lc1")
    alone = site.pdsno("controller", "run", str(site.file), "lc1", "--state-dir", str(site.state))
    until(lambda: titles(alone) == {f"pdsno {site.root} lc1"}, "its title")
    assert run.process.poll() is None

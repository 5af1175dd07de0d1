"""205 controllers on one machine: time to ready, memory and idle CPU, beside ordinary processes."""

from __future__ import annotations

import json
import os
import selectors
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import PDSNO, TOPOLOGIES, Run, until

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

READY = 6.0  # seconds from the command to the last controller's readiness, median of STARTS
STARTS = 3
PSS = 12.0  # MB a controller
IDLE = 15.0  # % of one core, all processes together
QUIET = 20.0  # seconds over which idle CPU is measured; four heartbeats of each controller
FILE = TOPOLOGIES / "campus-200.yaml"
COUNT = 205
ORDINARY = """\
import sys, paho.mqtt.client, sqlalchemy, msgspec, pdsno_cli.runtime.node
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one process has used so far: CPU seconds and times it gave the CPU up by itself."""

    cpu: float
    wakes: int


def pss(pid: int) -> float:
    """Return the proportional set size of a process in MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def use(pid: int) -> Use:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    wakes = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                wakes += int(line.split()[1])
    ticks = int(fields[11]) + int(fields[12])
    return Use(cpu=ticks / os.sysconf("SC_CLK_TCK"), wakes=wakes)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


class Campus:
    """A running campus-200."""

    def __init__(self, state: Path) -> None:
        self._state = str(state)
        began = time.monotonic()
        self.run = Run("up", str(FILE), "--state-dir", self._state)
        try:
            self.run.ready(60)
        except BaseException:
            self.run.clean_up()
            raise
        self.seconds = time.monotonic() - began
        self.cpu = sum(use(pid).cpu for pid in self.run.members())

    def stop(self) -> None:
        self.run.interrupt()
        assert self.run.end(60) == 0

    def rows(self) -> list[dict]:
        asked = [PDSNO, "status", str(FILE), "--json", "--state-dir", self._state]
        return json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)[
            "controllers"
        ]

    def settle(self) -> list[dict]:
        """Wait for the first cycle of every local at the top; return the rows."""

        def done():
            rows = self.rows()
            return all(r["committed_at_top"] for r in rows if r["role"] == "local") and rows

        return until(done, "every first cycle at the top", 60)

    def kinds(self, rows: list[dict]) -> dict[int, str]:
        """Return what each process of the run is, by its id."""
        kinds = {row["pid"]: row["role"] for row in rows}
        kinds |= {
            self.run.process.pid: "supervisor",
            self.run.broker(): "broker",
            parent(rows[0]["pid"]): "fork server",
        }
        return {pid: kinds.get(pid, "other") for pid in self.run.members()}


def ordinary() -> tuple[float, float, list[float]]:
    """Start as many ordinary children, a few at a time.

    Return the seconds and the CPU seconds until all were ready, and the PSS of each.
    """
    limit = 2 * (os.cpu_count() or 1)
    children: list[subprocess.Popen] = []
    hold, let_go = os.pipe()  # every child lives until this closes
    try:
        with selectors.DefaultSelector() as starting:
            began = time.monotonic()
            ready = 0
            while ready < COUNT:
                while len(children) < COUNT and len(children) - ready < limit:
                    child = subprocess.Popen(
                        [sys.executable, "-c", ORDINARY], stdin=hold, stdout=subprocess.PIPE
                    )
                    children.append(child)
                    starting.register(child.stdout, selectors.EVENT_READ)
                for key, _ in starting.select(60):
                    assert key.fileobj.readline() == b"ready\n"
                    starting.unregister(key.fileobj)
                    ready += 1
            seconds = time.monotonic() - began
        cpu = sum(use(child.pid).cpu for child in children)
        return seconds, cpu, [pss(child.pid) for child in children]
    finally:
        os.close(let_go)
        os.close(hold)
        for child in children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            child.stdout.close()


@contextmanager
def running(state: Path):
    campus = Campus(state)
    try:
        yield campus
    finally:
        campus.run.clean_up()


def test_campus_200_is_ready_small_and_idle(tmp_path):
    starts: list[Campus] = []
    for number in range(STARTS - 1):
        with running(tmp_path / f"state-{number}") as campus:
            starts.append(campus)
            campus.stop()
    with running(tmp_path / "state") as campus:
        starts.append(campus)
        kinds = campus.kinds(campus.settle())
        before = {pid: use(pid) for pid in kinds}
        began = time.monotonic()
        time.sleep(QUIET)  # the measurement itself
        after = {pid: use(pid) for pid in kinds}
        span = time.monotonic() - began
        sizes = {pid: pss(pid) for pid in kinds}
        campus.stop()
    seconds, cpu_seconds, plain = ordinary()
    ready = statistics.median(start.seconds for start in starts)

    cpu: Counter[str] = Counter()
    for pid, kind in kinds.items():
        cpu[kind] += (after[pid].cpu - before[pid].cpu) / span * 100
    idle = sum(cpu.values())
    controllers = [pid for pid, kind in kinds.items() if kind in ("global", "regional", "local")]
    assert len(controllers) == COUNT
    mine = [sizes[pid] for pid in controllers]
    wakes = sum(after[pid].wakes - before[pid].wakes for pid in controllers) / span / COUNT
    single = {kind: sizes[pid] for pid, kind in kinds.items() if pid not in controllers}

    table = [f"{COUNT} controllers, {os.cpu_count()} cores     pdsno up   ordinary start     ratio"]
    for what, unit, ours, theirs in (
        ("all ready", "s ", ready, seconds),
        ("CPU until then", "s ", statistics.median(start.cpu for start in starts), cpu_seconds),
        ("PSS of one, average", "MB", statistics.mean(mine), statistics.mean(plain)),
        ("PSS of one, largest", "MB", max(mine), max(plain)),
        ("PSS of all", "MB", sum(sizes.values()), sum(plain)),
    ):
        ratio = theirs / ours
        table.append(f"{what:<27}{ours:>9.1f} {unit}{theirs:>14.1f} {unit}{ratio:>8.1f} x")
    table.append("all ready, each time" + "".join(f"{start.seconds:>7.1f} s" for start in starts))
    table += [f"  {kind:<25}{size:>9.1f} MB" for kind, size in sorted(single.items())]
    table.append(f"{'idle CPU of all':<27}{idle:>9.1f} % of one core")
    table += [f"  {kind:<25}{share:>9.2f} %" for kind, share in sorted(cpu.items())]
    table.append(f"{'wake-ups of a controller':<27}{wakes:>9.1f} a second")
    table.append("An ordinary child only imports what a controller does; it connects to nothing.")
    sys.stdout.write("\n" + "\n".join(table) + "\n")

    assert ready <= READY
    assert statistics.mean(mine) <= PSS
    assert idle <= IDLE

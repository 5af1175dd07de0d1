"""What following the logs of 205 controllers costs, while each logs now and then."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tests.e2e.conftest import PDSNO, TOPOLOGIES

pytestmark = pytest.mark.bench

SHARE = 5.0  # % of one core
SECONDS = 15.0
LINES = 40  # a second, all logs together; a cycle of each local takes 30 s on campus-200
COUNT = 205


def cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_following_205_logs_costs_little(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    logs = [(folder / f"local_cntl_{n:03}.log").open("a", buffering=1) for n in range(COUNT)]
    command = [PDSNO, "logs", str(TOPOLOGIES / "campus-200.yaml"), "--state-dir", str(tmp_path)]
    for log in logs:
        for _ in range(200):
            log.write(line())
    with subprocess.Popen([*command, "-f"], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()  # it follows from now on
        before, began, written = cpu(process.pid), time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < SECONDS:
            while written < elapsed * LINES:
                logs[written % COUNT].write(line())
                written += 1
            time.sleep(0.05)
        share = 100 * (cpu(process.pid) - before) / elapsed
        process.terminate()
        seen = sum("cycle" in text for text in process.stdout)
    for log in logs:
        log.close()
    print(  # noqa: T201
        f"\nlogs -f of {COUNT} logs, {LINES} lines/s: {share:.1f} % of a core (bound {SHARE})"
    )
    assert seen >= 0.9 * written
    assert share <= SHARE


def line() -> str:
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
    return f"{stamp} INFO cycle 7 complete in 0.4 s (icmp 30/30, snmp 15/30): 30 devices\n"

"""A second ``pdsno up``: its time, and whom it disturbs, seen from outside by ``mosquitto_sub``.

A change is measured from the start of the command to its end, which is when all that changed is healthy.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from itertools import pairwise

import pytest

from tests.conftest import require
from tests.e2e.conftest import PDSNO, TOPOLOGIES, Run
from tests.messaging.brokers import Mosquitto

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc"),
]

NOTHING = {"zone-a": 0.5, "campus-200": 2.0}  # seconds of an up that changes nothing
ADDED = 2.0  # seconds until one more local controller of campus-200 is healthy
TIMES = 5
BEAT = 5.0  # seconds between heartbeats in campus-200
MISSED = 1.6  # heartbeats: a longer pause means that one is missing
ADDITION = """\
  local_cntl_north_51:
    role: local
    region: north
    discovery: {targets: [127.96.16.0/28]}
"""


class Plane:
    """A topology that runs, and its file."""

    def __init__(self, folder, name: str, broker: str = "") -> None:
        self.file = folder / f"{name}.yaml"
        self._text = (TOPOLOGIES / f"{name}.yaml").read_text() + broker
        self.file.write_text(self._text)
        self._state = str(folder / "state")
        self.run = Run("up", str(self.file), "--state-dir", self._state)
        self.run.ready(90)

    def up(self) -> tuple[float, str]:
        """Run up again; return its seconds and what it says."""
        began = time.monotonic()
        done = subprocess.run(
            [PDSNO, "up", self.file, "--state-dir", self._state],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return time.monotonic() - began, done.stderr

    def add(self) -> None:
        self.file.write_text(self._text.replace("controllers:\n", "controllers:\n" + ADDITION, 1))

    def restore(self) -> None:
        self.file.write_text(self._text)

    def status(self) -> dict:
        done = subprocess.run(
            [PDSNO, "status", self.file, "--state-dir", self._state, "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return {row["id"]: row for row in json.loads(done.stdout)["controllers"]}


class Outside:
    """Every status that ``mosquitto_sub`` receives: when, whose, which state and connection."""

    def __init__(self, port: int, root: str) -> None:
        self._process = subprocess.Popen(
            [require("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-R",
             "-F", "%U %t %p", "-t", f"{root}/status/+"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.seen: dict[str, list[tuple[float, str, int]]] = defaultdict(list)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            at, topic, data = line.split(" ", 2)
            if data.strip():
                body = json.loads(data)["payload"]
                name = topic.rsplit("/", 1)[1]
                self.seen[name].append((float(at), body["state"], body["connection"]))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()


@pytest.mark.parametrize("name", NOTHING)
def test_up_that_changes_nothing(tmp_path, name):
    plane = Plane(tmp_path, name)
    try:
        before = plane.status()
        times = []
        for _ in range(TIMES):
            seconds, said = plane.up()
            assert "nothing to change" in said
            times.append(seconds)
        after = plane.status()
        same = [one for one in before if before[one]["pid"] == after[one]["pid"]]
        assert len(same) == len(before)
        assert not any(row["restarts"] for row in after.values())
        median = statistics.median(times)
        print(  # noqa: T201 - the figures
            f"\n{name}: up that changes nothing: {median:.2f} s ({min(times):.2f}-{max(times):.2f}), "
            f"0 of {len(before)} controllers restarted; at most {NOTHING[name]:g} s"
        )
        assert median <= NOTHING[name]
    finally:
        plane.run.clean_up()


def test_one_local_more_disturbs_nobody(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    plane = None
    try:
        plane = Plane(tmp_path, "campus-200", f"broker: {{host: 127.0.0.1, port: {broker.port}}}\n")
        outside = Outside(broker.port, "pdsno")
        before = plane.status()
        time.sleep(2 * BEAT)
        times, inner = [], []
        for _ in range(3):
            plane.add()
            seconds, said = plane.up()
            assert "1 add, 2 live" in said, said
            times.append(seconds)
            inner.append(float(re.search(r"applied in (\S+) s", said)[1]))
            assert plane.status()["local_cntl_north_51"]["state"] == "ready"
            time.sleep(BEAT)
            plane.restore()
            plane.up()
        time.sleep(2 * BEAT)
        outside.end()
        after = plane.status()
        assert {n: (r["pid"], r["epoch"]) for n, r in before.items()} == {
            n: (r["pid"], r["epoch"]) for n, r in after.items()
        }
        others = {n: seen for n, seen in outside.seen.items() if n in before}
        assert len(others) == len(before)
        # The first one seen may still be the birth of the start.
        again = [n for n, seen in others.items() if {s for _, s, _ in seen[1:]} != {"heartbeat"}]
        assert all(len({connection for _, _, connection in seen}) == 1 for seen in others.values())
        pauses = {n: max(b[0] - a[0] for a, b in pairwise(seen)) for n, seen in others.items()}
        worst = max(pauses, key=pauses.get)
        print(  # noqa: T201 - the figures
            f"\none local more in campus-200: healthy in {statistics.median(times):.2f} s "
            f"({', '.join(f'{t:.2f}' for t in times)}; without start and reading of the file "
            f"{statistics.median(inner):.1f} s), at most {ADDED:g} s; of {len(others)} others "
            f"{len(again)} connected again, longest pause between heartbeats "
            f"{pauses[worst]:.2f} s of {BEAT:g} s ({worst}); load {os.getloadavg()[0]:.1f}"
        )
        assert not again
        assert pauses[worst] < MISSED * BEAT
        assert statistics.median(times) <= ADDED
    finally:
        if plane is not None:
            plane.run.clean_up()
        broker.kill()

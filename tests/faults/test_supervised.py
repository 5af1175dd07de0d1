"""A whole run by ``pdsno up``: its fork server is frozen, its controllers are flooded with garbage.

A lab's devices are renamed all the while. What was found is read from the controllers' stores with
plain SQLite: at the end all levels hold the lab as it is.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import time

import paho.mqtt.client as paho
import pytest

from tests.e2e.conftest import Site, until
from tests.e2e.test_stuck import fork_server
from tests.faults.arena import FULL, SEED
from tests.faults.results import record

pytestmark = [pytest.mark.alone, pytest.mark.timeout(3600 if FULL else 120)]
AGAIN = 30.0  # seconds in which all are ready once the cause is gone
LOG = 1_000_000  # bytes of all the logs of a controller
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ |  ")
CONTROL = re.compile(r"[^\n -~\u00a0-\U0010ffff]")


@pytest.fixture
def site(tmp_path):
    runs = []
    made = Site(tmp_path, runs)
    made.write(fallbacks="[mqtt, http]")
    yield made
    for run in runs:
        run.clean_up()


def rename(site, number: int) -> tuple[str, str]:
    """Give a device of the lab another name; return its address and its name."""
    speaking = [device for device in site.devices() if device["sys_name"]]
    device = speaking[number % len(speaking)]
    address, name = device["addresses"][0], f"renamed-{number}"
    done = site.ask("lab", "rename", str(site.file), address, name)
    assert done.returncode == 0, done.stderr
    return address, name


def held(site, controller: str) -> dict[str, str]:
    """Return the names of the devices that a controller holds."""
    path = site.state / "stores" / f"{controller}.db"
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return dict(store.execute("SELECT device_id, coalesce(sys_name, '') FROM devices"))
    finally:
        store.close()


def all_ready(site) -> float:
    begun = time.monotonic()
    until(lambda: site.ask("status", str(site.file)).returncode == 0 and site.status()["ready"],
          "all being ready again", AGAIN)  # fmt: skip
    return time.monotonic() - begun


def judge(site, names: dict[str, str]) -> dict[str, int]:
    """Wait until the last names are at the top; return what the audit and the stores say."""

    def at_the_top():
        found = {device["addresses"][0]: device["sys_name"] for device in site.devices()}
        return all(found.get(address) == name for address, name in names.items())

    until(at_the_top, f"{names} at the top")
    found = {}

    def settled():
        done = site.ask("audit", str(site.file), "--json")
        found.update(json.loads(done.stdout))
        return not any(row["waiting"] for row in found["streams"])

    until(settled, "nothing waiting")
    top, region = held(site, "g1"), held(site, "rc1")
    local = held(site, "lc1") | held(site, "lc2")
    assert len(local) == 6
    return {
        "accepted": sum(row["sent"] for row in found["streams"]),
        "lost": sum(row["lost"] for row in found["streams"]),
        "twice": sum(row["twice"] for row in found["streams"]),
        "wrong": sum(
            local[device] != level.get(device) for device in local for level in (top, region)
        ),
    }


def test_fork_server_frozen_while_controllers_die_loses_nothing(site):
    rounds = 20 if FULL else 1
    picks, run = random.Random(SEED), site.up().ready()
    until(lambda: len(site.devices()) == 6, "the lab at the top")
    names, longest = {}, 0.0
    for number in range(rounds):
        frozen = fork_server(run)
        os.kill(frozen, signal.SIGSTOP)
        address, name = rename(site, number)
        names[address] = name
        victims = picks.sample(["lc1", "lc2", "rc1", "g1"], 2)
        pids = {victim: site.row(victim)["pid"] for victim in victims}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        until(lambda pids=pids: all(site.row(v)["pid"] not in (None, p) for v, p in pids.items()),
              "other processes of those killed")  # fmt: skip
        longest = max(longest, all_ready(site))
    verdict = judge(site, names)
    record("fork server frozen", broker="embedded", seed=SEED, rounds=rounds,
           ready_again=round(longest, 1), **verdict)  # fmt: skip
    assert (verdict["lost"], verdict["twice"], verdict["wrong"]) == (0, 0, 0)


def test_log_flood_by_a_stranger_leaves_short_logs_and_loses_nothing(site):
    messages = 50_000 if FULL else 10_000
    picks, _ = random.Random(SEED), site.up().ready()
    until(lambda: len(site.devices()) == 6, "the lab at the top")
    port = site.status()["broker_port"]
    names = {}
    stranger = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="a\x1b[31m\nstranger")
    stranger.max_queued_messages_set(0)
    stranger.connect("127.0.0.1", port)
    stranger.loop_start()
    try:
        for number in range(messages):
            where = picks.choice((
                "discovery/r1/lc1", "discovery/r1/lc\x1b[2J\u202e", "events/r1", "policy/r1",
                f"status/{number}", "command/lc1", "summary/r1/rc1", "ack/lc2",
            ))  # fmt: skip
            data = picks.choice((b"\n2026-01-01T00:00:00.000Z INFO forged\x1b[31m", b"{}", b"["))
            info = stranger.publish(f"{site.root}/{where}", data * picks.randrange(1, 20), 1)
            if number % (messages // 5) == 0:
                address, name = rename(site, number)
                names[address] = name
        info.wait_for_publish(60)
    finally:
        stranger.disconnect()
        stranger.loop_stop()
    again = all_ready(site)
    verdict = judge(site, names)
    logs = {path.name: path.stat().st_size for path in (site.state / "logs").iterdir()}
    text = "".join(path.read_text() for path in (site.state / "logs").iterdir())
    record("log flood", broker="embedded", seed=SEED, garbage=messages, log_bytes=sum(logs.values()),
           refused=sum(sum(row["refused"].values()) for row in site.status()["controllers"]),
           ready_again=round(again, 1), **verdict)  # fmt: skip
    assert (verdict["lost"], verdict["twice"], verdict["wrong"]) == (0, 0, 0)
    assert sum(logs.values()) <= LOG, logs
    assert "refused on" in text
    assert not [line for line in text.splitlines() if not LINE.match(line)]
    assert not CONTROL.search(text)

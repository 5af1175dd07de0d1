"""``pdsno doctor`` beside a real run, and after one that was killed."""

from __future__ import annotations

import json
import os
import signal

from tests.e2e.conftest import until


def verdicts(site):
    done = site.ask("doctor", str(site.file), "--json")
    document = json.loads(done.stdout)
    assert document["format_version"] == 1
    assert document["topology"] == site.root
    found = {item["check"]: item for item in document["checks"]}
    assert done.returncode == any(item["verdict"] == "fail" for item in document["checks"])
    return found


def test_running_plane_is_well_and_undisturbed(site):
    site.write()
    run = site.up().ready()
    until(lambda: site.status()["well"], "health")
    seen = verdicts(site)
    for check in ("locks", "broker", "version", "round trip", "payload", "retained", "last will",
                  "filters", "heartbeats", "clock"):  # fmt: skip
        assert seen[check]["verdict"] == "ok", seen[check]
    assert seen["heartbeats"]["text"] == "status of all 4 controllers heard"
    assert site.status()["well"]
    assert sum(sum(row["refused"].values()) for row in site.status()["controllers"]) == 0
    run.interrupt()
    assert run.end() == 0
    text = site.ask("doctor", str(site.file)).stdout
    assert all(len(line) <= 80 for line in text.splitlines() if str(site.folder) not in line)
    assert "skip  broker             the embedded broker runs only while" in text


def test_killed_run_leaves_what_the_doctor_finds(site):
    site.write()
    run = site.up().ready()
    os.kill(run.process.pid, signal.SIGKILL)
    run.end()
    until(lambda: not run.members(), "the end of its processes")
    found = verdicts(site)["leftovers"]
    assert found["verdict"] == "warn"
    assert "a control socket that nobody listens on" in found["text"]
    assert site.up("--cycles", "1").end() == 0
    assert verdicts(site)["leftovers"]["verdict"] == "ok"


def test_frozen_supervisor_is_named_by_its_process(site):
    site.write()
    run = site.up().ready()
    os.kill(run.process.pid, signal.SIGSTOP)
    try:
        found = verdicts(site)["locks"]
    finally:
        os.kill(run.process.pid, signal.SIGCONT)
    assert found["verdict"] == "fail"
    assert f"process {run.process.pid} holds" in found["text"]

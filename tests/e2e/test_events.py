"""``pdsno events`` of a real run: with the cause, followed, and afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

from tests.e2e.conftest import PDSNO, WAIT, until


def test_events_name_the_cause_while_it_runs_and_afterwards(site):
    site.write()
    run = site.up().ready()
    command = [PDSNO, "events", str(site.file), "--state-dir", str(site.state), "-f", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        json.loads(follower.stdout.readline())
        os.kill(site.row("lc1")["pid"], signal.SIGKILL)
        seen = {"event": ""}
        while seen["event"] != "controller_down":
            seen = json.loads(follower.stdout.readline())
        follower.send_signal(signal.SIGINT)
        assert follower.wait(WAIT) == 0
    assert (seen["subject"], seen["sender"], seen["severity"]) == ("lc1", "rc1", "error")
    assert seen["detail"]["reason"] == "will"
    until(lambda: site.status()["well"], "recovery")
    run.interrupt()
    assert run.end() == 0

    done = site.ask("events", str(site.file), "--kind", "controller_down", "--region", "r1")
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert re.fullmatch(
        r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  controller_down   lc1: error, reason will \(from rc1\)",
        first,
    )
    both = site.ask("events", str(site.file), "-n", "2", "--json").stdout.splitlines()
    assert len(both) == 2
    assert site.ask("events", str(site.file), "--since", "0s").stdout == ""


def test_what_cannot_be_found_gets_a_suggestion(site):
    site.write()
    done = site.ask("events", str(site.file))
    assert done.returncode == 2
    assert "no store of g1, which records the events" in done.stderr
    assert site.up("--cycles", "1").end() == 0
    done = site.ask("events", str(site.file), "--kind", "policy_aplied")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no event 'policy_aplied': did you mean 'policy_applied'?" in done.stderr
    done = site.ask("events", str(site.file), "--kind", "quarantine_replayed")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{site.root}: no event was recorded that matches\n"
    done = site.ask("events", str(site.file), "--region", "r2")
    assert done.returncode == 2
    assert "no region 'r2'" in done.stderr

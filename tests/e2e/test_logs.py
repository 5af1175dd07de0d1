"""``pdsno logs`` of a real run: while it runs, and afterwards."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time

from pdsno_cli.model.ids import timestamp
from tests.e2e.conftest import PDSNO, WAIT, until

STAMP = r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "


def entries(site, *args):
    done = site.ask("logs", str(site.file), "--json", *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_logs_of_a_run_that_has_ended(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    done = site.ask("logs", str(site.file))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(re.match(STAMP, line) for line in lines)
    assert any(re.search(r" lc1 +cycle 1 complete in .* 3 devices, 3 new", line) for line in lines)
    assert any(re.search(r" supervisor +.*all 4 controllers ready", line) for line in lines)
    assert any(re.search(r" rc1 +policy r1 \d+ is in force", line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line[:18])

    assert {item["id"] for item in entries(site, "lc*")} == {"lc1", "lc2"}
    last = entries(site, "g1", "-n", "1")[0]
    assert (last["id"], last["level"], last["text"]) == ("g1", "info", "stopped")
    assert entries(site, "--since", "2000-01-01") == entries(site)
    assert entries(site, "--since", "0s") == []
    assert all(item["level"] != "info" for item in entries(site, "--level", "warning"))


def test_follow_shows_what_is_logged_from_now_on_until_ctrl_c(site):
    site.write(interval="300ms")
    run = site.up().ready()
    until(lambda: entries(site, "lc1"), "the first entries")
    command = [PDSNO, "logs", str(site.file), "--state-dir", str(site.state), "lc1", "-f", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        first = tail.stdout.readline()
        follows = time.time()
        until(lambda: json.loads(tail.stdout.readline())["time"] > timestamp(follows), "a cycle")
        run.interrupt()
        assert run.end() == 0
        rest = []
        while not rest or rest[-1]["text"] != "stopped":
            rest.append(json.loads(tail.stdout.readline()))
        tail.send_signal(signal.SIGINT)
        assert tail.wait(WAIT) == 0
    assert rest == entries(site, "lc1")[-len(rest) :]
    assert json.loads(first)["id"] == "lc1"


def test_wrong_id_and_time_get_a_suggestion(site):
    site.write()
    done = site.ask("logs", str(site.file))
    assert done.returncode == 2
    assert "it has not run yet" in done.stderr
    assert site.up("--cycles", "1").end() == 0
    done = site.ask("logs", str(site.file), "lc3")
    assert done.returncode == 2
    assert "no log of 'lc3': did you mean 'lc2'" in done.stderr
    done = site.ask("logs", str(site.file), "--since", "0s")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{site.root}: nothing was logged that matches\n"
    done = site.ask("logs", str(site.file), "--since", "yesterday")
    assert done.returncode == 2
    assert "invalid time 'yesterday': write 10m" in done.stderr
    done = site.ask("logs", str(site.file), "--level", "warn")
    assert done.returncode == 2
    assert "did you mean 'warning'" in done.stderr

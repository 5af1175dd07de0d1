"""restart, stop, start, wait and down --volumes on real runs."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from tests.e2e.conftest import until
from tests.e2e.test_mosquitto import mosquitto

__all__ = ["mosquitto"]

WAYS = ["embedded", "mosquitto", "in-process"]


def order(site, *words):
    done = site.ask(*words)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("way", WAYS)
def test_restart_goes_from_children_to_parents_and_each_is_ready_before_the_next(
    site, request, way
):
    site.up_over(way, request)
    until(lambda: site.status()["well"], "its being well")
    before = {row["id"]: row for row in site.status()["controllers"]}
    lines = order(site, "restart", str(site.file))
    assert [line.split(":")[0] for line in lines] == ["lc1", "lc2", "rc1", "g1"]
    assert all("restarted, ready after" in line for line in lines)
    report = until(lambda: (found := site.status())["well"] and found, "its being well again")
    for row in report["controllers"]:
        assert row["epoch"] > before[row["id"]]["epoch"]
        assert row["restarts"] == 0
        assert way == "in-process" or row["pid"] != before[row["id"]]["pid"]
    assert site.ask("audit", str(site.file)).returncode == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_controller_is_shown_as_stopped_and_its_parent_sees_a_normal_stop(
    site, request, way
):
    run = site.up_over(way, request)
    until(lambda: site.status()["well"], "its being well")
    assert order(site, "stop", str(site.file), "lc1")[0].startswith("lc1: stopped")
    row = site.row("lc1")
    assert (row["state"], row["health"], row["pid"]) == ("stopped", "stopped", None)
    done = site.ask("ps", str(site.file))
    assert done.returncode == 1
    assert "lc1: stopped: by order; start it with pdsno start" in done.stdout
    assert "failed" not in done.stdout
    assert {r["health"] for r in site.status()["controllers"] if r["id"] != "lc1"} == {"ready"}
    # What its parents were told, which is retained: it stopped, and was not lost.
    words = ("status/lc1", "--json", "--count", "1", "--for", "10s")
    told = json.loads(site.ask("tail", str(site.file), *words).stdout)["message"]["payload"]
    assert (told["state"], told["reason"]) == ("death", "stop")
    assert order(site, "start", str(site.file), "lc1")[0].startswith("lc1: ready")
    assert order(site, "wait", str(site.file), "--timeout", "20s")
    run.interrupt()
    assert run.end() == 0


def test_a_stopped_parent_holds_reports_until_it_is_started(site):
    site.write(interval="300ms")
    site.up().ready()
    order(site, "wait", str(site.file), "--for", "cycles=1")
    order(site, "stop", str(site.file), "rc1")
    top = site.row("lc1")["committed_at_top"]
    until(lambda: site.row("lc1")["cycle"] > top + 2, "cycles while the parent is stopped")
    order(site, "start", str(site.file), "rc1")
    order(site, "wait", str(site.file), "--for", f"cycles={top + 3}", "--timeout", "20s")
    order(site, "wait", str(site.file), "--timeout", "20s")
    assert site.ask("audit", str(site.file)).returncode == 0


def test_a_controller_that_was_given_up_can_be_started_again(site):
    site.write(interval="1h")
    run = site.up().ready()
    store = site.state / "stores" / "lc1.db"
    sound = {path: path.read_bytes() for path in store.parent.glob("lc1.db*")}
    pid = site.row("lc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    for path in sound:
        path.write_bytes(b"no database" * 1000)
    os.kill(pid, signal.SIGKILL)
    until(lambda: site.row("lc1")["state"] == "failed", "its being given up")
    refused = site.ask("fault", "controller", str(site.file), "lc1", "kill")
    assert refused.returncode == 1
    assert "lc1 was given up" in refused.stderr
    assert "pdsno start lc1" in refused.stderr
    failed = site.ask("start", str(site.file), "lc1")
    assert failed.returncode == 1
    assert "error: lc1 was given up (" in failed.stderr
    for path in sound:
        path.unlink(missing_ok=True)
    assert order(site, "start", str(site.file), "lc1")[0].startswith("lc1: ready")
    run.interrupt()
    assert run.end() == 0, run.lines  # what was repaired is no failure of the run


def test_a_fault_on_a_stopped_controller_is_refused_with_what_to_do(site):
    site.write(interval="1h")
    site.up().ready()
    order(site, "stop", str(site.file), "lc1")
    refused = site.ask("fault", "controller", str(site.file), "lc1", "kill")
    assert refused.returncode == 1
    assert "lc1 is stopped: start it with pdsno start lc1" in refused.stderr


def test_a_frozen_controller_is_restarted(site):
    site.write(interval="1h")
    site.up().ready()
    os.kill(site.row("lc1")["pid"], signal.SIGSTOP)
    assert order(site, "restart", str(site.file), "lc1")[0].startswith("lc1: restarted, ready")


def test_wrong_ids_and_no_ids_are_refused_before_any_order(site):
    site.write(interval="1h")
    site.up().ready()
    pids = [row["pid"] for row in site.status()["controllers"]]
    wrong = site.ask("restart", str(site.file), "lc1", "lcc2")
    assert (wrong.returncode, "did you mean" in wrong.stderr) == (2, True)
    none = site.ask("stop", str(site.file))
    assert (none.returncode, f"pdsno down {site.root}" in none.stderr) == (2, True)
    assert [row["pid"] for row in site.status()["controllers"]] == pids


def test_wait_for_a_run_that_is_yet_to_come(site):
    site.write(interval="1h")
    waiting = site.pdsno("wait", str(site.file), "--state-dir", str(site.state))
    waiting.wait_line("is not up yet")
    site.up().ready()
    assert waiting.end() == 0
    early = site.ask("wait", str(site.file), "--for", "cycles=99", "--timeout", "300ms")
    assert early.returncode == 1
    assert "lc1 has 1 of 99 cycles at the top" in early.stderr or "lc1 has 0" in early.stderr


def test_wait_for_an_event(site):
    site.write(interval="1h")
    site.up().ready()
    until(lambda: site.status()["well"], "its being well")
    waiting = site.pdsno("wait", str(site.file), "--for", "event=controller_up", "--json",
                         "--state-dir", str(site.state))  # fmt: skip
    done = threading.Event()

    def restart():  # the event may come before the other session listens
        while not done.is_set():
            order(site, "restart", str(site.file), "lc1")

    restarting = threading.Thread(target=restart)
    restarting.start()
    try:
        assert waiting.end() == 0, waiting.lines
    finally:
        done.set()
        restarting.join()
    assert json.loads(waiting.out)["event"]["subject"] == "lc1"


def test_down_with_volumes_removes_the_state_of_a_run_and_of_one_that_is_down(site):
    site.write(interval="1h")
    run = site.up().ready()
    lines = order(site, "down", str(site.file), "--volumes")
    assert run.end() == 0
    assert any(f"removed inventory, key and logs in {site.state}" in line for line in lines), lines
    assert not site.state.exists()
    assert site.up("--cycles", "1").end() == 0
    order(site, "down", str(site.file), "--volumes")
    assert not site.state.exists()
    (site.folder / "photos").mkdir()
    refused = site.pdsno(
        "down", str(site.file), "--volumes", "--state-dir", str(site.folder / "photos")
    )
    assert refused.end() == 2
    assert "not a state directory" in refused.lines[0]
    assert (site.folder / "photos").is_dir()

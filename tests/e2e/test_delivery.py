"""Nothing lost, nothing twice: real kills of real processes, judged by what each side has kept."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.store import Store

from .conftest import until

FAST = {"interval": "300ms", "heartbeat": "1s"}
CALM = {"interval": "1s", "heartbeat": "1s"}  # leaves moments in which nothing is under way


def view(site, controller_id: str) -> dict:
    """Return the present devices as one controller has them, by address."""
    return {d["addresses"][0]: d["sys_name"] for d in site.devices("--of", controller_id)}


def settled(site) -> bool:
    """Whether every message of every controller is acknowledged."""
    return all(row["waiting"] == 0 for row in site.status()["controllers"])


def every_report_once(site) -> bool:
    """Whether the region has applied as many reports as its locals have sent, and none waits."""
    rows = {row["id"]: row for row in site.status()["controllers"]}
    sent = rows["lc1"]["sent"] + rows["lc2"]["sent"]
    return rows["rc1"]["reports"] == sent and not any(row["waiting"] for row in rows.values())


def tail_matches(site, sender: str, receiver: str, stream: str) -> bool:
    """Whether the receiver has committed the last message that the sender ever kept."""
    state = site.state / "stores"
    ours, theirs = open_reader(state / f"{sender}.db"), open_reader(state / f"{receiver}.db")
    try:
        settled = ours.acknowledged(stream)
        waiting = ours.outbox(stream, settled, 10_000)
        last = waiting[-1].offset if waiting else settled
        return theirs.committed(sender, stream) == last
    finally:
        ours.close()
        theirs.close()


def end(run, site) -> None:
    """Stop it; every message that was ever sent must be accounted for."""
    run.interrupt()
    assert run.end() == 0, run.lines
    done = site.ask("audit", str(site.file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_audit_names_what_it_cannot_account_for(site):
    site.write(**CALM)
    run = site.up("--cycles", "2")
    assert run.end() == 0, run.lines
    done = site.ask("audit", str(site.file), "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["accounted"]
    (row,) = [r for r in report["streams"] if r["sender"] == "lc1" and "discovery" in r["stream"]]
    assert row["committed"] == row["sent"] >= 2
    (site.state / "stores" / "lc1.db").rename(site.state / "away")
    done = site.ask("audit", str(site.file))
    assert done.returncode == 1
    assert "no store of lc1" in done.stderr


@pytest.mark.long
def test_broker_killed_again_and_again_loses_and_repeats_no_report(site):
    site.write(**CALM)
    run = site.up().ready()
    for number in range(4):
        until(lambda: len(site.devices()) == 6, "a full view")
        time.sleep(random.uniform(0.05, 0.5))  # any moment of the traffic
        os.kill(run.broker(), signal.SIGKILL)
        until(
            lambda n=number: sum("the broker ended" in line for line in run.lines) > n,
            "the notice of the broker's end",
        )
        until(
            lambda: all(row["state"] == "ready" for row in site.status()["controllers"]),
            "every controller being ready again",
        )

    # Neither parent was restarted, so its count is the ground truth: one for each that was sent.
    until(lambda: every_report_once(site), "as many reports applied as were sent")
    end(run, site)


def test_regional_killed_again_and_again_misses_and_repeats_no_report(site):
    site.write(**FAST)
    run = site.up().ready()
    for _ in range(4):
        until(lambda: site.row("rc1")["state"] == "ready", "the region being up")
        time.sleep(random.uniform(0.05, 0.5))
        old = site.row("rc1")
        os.kill(old["pid"], signal.SIGKILL)
        until(lambda pid=old["pid"]: site.row("rc1")["pid"] not in (None, pid), "another process")
    until(lambda: site.row("rc1")["state"] == "ready" and settled(site), "everything acknowledged")
    for name in ("lc1", "lc2"):
        stream = f"discovery/r1/{name}"
        until(lambda n=name, s=stream: tail_matches(site, n, "rc1", s), f"{stream} committed")
    # Strict numbering makes a gap or a repetition show as a refusal to go on.
    log = (site.state / "logs" / "rc1.log").read_text()
    assert "goes on after" not in log
    assert view(site, "rc1") == view(site, "lc1") | view(site, "lc2")
    until(lambda: view(site, "g1") == view(site, "rc1"), "the same view at the top")
    end(run, site)


def test_local_killed_again_and_again_delivers_what_it_had_kept(site):
    site.write(**FAST)
    run = site.up().ready()
    for _ in range(4):
        until(lambda: site.row("lc1")["state"] == "ready", "the local being up")
        time.sleep(random.uniform(0.05, 0.5))
        old = site.row("lc1")
        os.kill(old["pid"], signal.SIGKILL)
        until(lambda pid=old["pid"]: site.row("lc1")["pid"] not in (None, pid), "another process")
    until(lambda: site.row("lc1")["committed_at_top"] and settled(site), "everything acknowledged")
    until(lambda: tail_matches(site, "lc1", "rc1", "discovery/r1/lc1"), "all of it committed")
    assert "goes on after" not in (site.state / "logs" / "rc1.log").read_text()
    assert len(site.devices()) == 6
    end(run, site)


def test_reports_of_a_time_without_a_region_are_applied_when_it_is_back(site):
    site.write(**CALM)
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    pid = site.row("rc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: site.row("lc1")["waiting"] >= 3, "reports that wait")
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: every_report_once(site), "as many reports applied as were sent")
    end(run, site)


def lose_store(site, controller_id: str) -> None:
    """Delete the store of a running controller and kill it; wait for its next process."""
    pid = site.row(controller_id)["pid"]
    for path in (site.state / "stores").glob(f"{controller_id}.db*"):
        path.unlink()
    os.kill(pid, signal.SIGKILL)
    until(lambda: site.row(controller_id)["pid"] not in (None, pid), "another process")
    of = ("devices", str(site.file), "--of", controller_id)
    until(lambda: site.ask(*of).returncode == 0, "another store")


def test_region_that_lost_its_store_gets_snapshots_at_once_and_the_top_keeps_its_view(site):
    site.write(interval="1h", heartbeat="1s")  # no report comes by itself
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    lose_store(site, "rc1")

    def full() -> bool:
        assert len(view(site, "g1")) == 6
        return len(view(site, "rc1")) == 6

    until(full, "the region's full view")
    until(lambda: settled(site), "everything acknowledged")
    assert view(site, "g1") == view(site, "rc1")
    end(run, site)


@pytest.mark.long
def test_region_that_lost_its_store_leaves_the_top_what_a_local_that_is_down_reported(site):
    site.write(interval="1h", heartbeat="1s")
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    assert site.ask("stop", str(site.file), "lc2").returncode == 0
    lose_store(site, "rc1")
    until(lambda: len(view(site, "rc1")) == 3, "what lc1 has")
    until(lambda: settled(site), "everything acknowledged")
    assert len(view(site, "g1")) == 6
    assert site.ask("start", str(site.file), "lc2").returncode == 0
    until(lambda: len(view(site, "rc1")) == 6, "the region's full view")
    until(lambda: settled(site), "everything acknowledged")
    assert view(site, "g1") == view(site, "rc1")
    end(run, site)


def test_local_that_lost_its_store_tells_everything_anew(site):
    site.write(**FAST)
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    lose_store(site, "lc1")
    until(lambda: site.row("lc1")["committed_at_top"] > 1 and settled(site), "its reports")
    assert len(site.devices()) == 6
    assert view(site, "rc1") == view(site, "lc1") | view(site, "lc2")
    end(run, site)


def test_top_that_lost_its_store_gets_snapshots_at_once(site):
    site.write(interval="1h", heartbeat="1s")  # no report comes by itself
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    lose_store(site, "g1")
    until(lambda: len(view(site, "g1")) == 6 and settled(site), "the full view at the top")
    assert view(site, "g1") == view(site, "rc1")
    end(run, site)


def test_epochs_of_2030_are_refused_and_every_controller_comes_back_to_the_present(site):
    site.write(**CALM)
    site.state.mkdir(mode=0o700)
    (site.state / "stores").mkdir(mode=0o700)
    for name in ("lc1", "rc1"):
        with Store.open(site.state / "stores" / f"{name}.db") as store, store.transaction() as tx:
            tx.set_epoch(1_893_456_000_000)  # as if its clock had been at 2030-01-01
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6 and settled(site), "a full view")
    assert all(row["epoch"] < epoch_at(time.time() + 60) for row in site.status()["controllers"])
    end(run, site)


def test_a_lost_store_and_a_clock_set_back_exclude_no_controller(site):
    site.write(**CALM)
    site.state.mkdir(mode=0o700)
    (site.state / "stores").mkdir(mode=0o700)
    hour = epoch_at(time.time() + 3600)
    with Store.open(site.state / "stores" / "rc1.db") as store, store.transaction() as tx:
        tx.advance(sender="lc1", stream="discovery/r1/lc1", to=Offset(hour, 20))
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6 and settled(site), "a full view")
    assert site.row("lc1")["epoch"] > hour
    end(run, site)


@pytest.mark.long
def test_audit_finds_an_inventory_that_is_not_what_was_reported(site):
    site.write(interval="1h")
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    assert site.ask("audit", str(site.file)).returncode == 0
    with closing(sqlite3.connect(site.state / "stores" / "g1.db")) as store, store:
        store.execute("UPDATE devices SET sys_name = 'nobody' WHERE local_id = 'lc1'")
    done = site.ask("audit", str(site.file))
    assert done.returncode == 1
    assert "the inventories differ between levels for lc1" in done.stderr
    report = json.loads(site.ask("audit", str(site.file), "--json").stdout)
    assert {i["local"]: i["contents"] for i in report["inventories"]} == {
        "lc1": "differs", "lc2": "equal",
    }  # fmt: skip
    assert report["accounted"]
    assert not report["well"]
    run.interrupt()
    assert run.end() == 0


def test_audit_fails_when_a_message_waits_for_too_long(site):
    site.write(**CALM)
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    pid = site.row("rc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        late = r"discovery/r1/lc\d: lc\d → rc1\n  epoch \d+: .*\d waiting \(for \d"

        def finding():
            found = site.ask("audit", str(site.file), "--max-wait", "1s")
            return re.search(late, found.stdout) and found

        done = until(finding, "a report that waits")
        assert done.returncode == 1
        # The verdict names the one that waits for longest, which may be one of rc1's own.
        assert re.search(r"\S+/r1\S* is stalled: .* \(limit 1 s\)", done.stderr)
        assert all(len(line) <= 80 for line in done.stdout.splitlines())
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: settled(site), "everything acknowledged")
    end(run, site)

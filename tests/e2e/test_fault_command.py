"""Drills by ``pdsno fault``: the fault is real, it is always lifted, and the measures are printed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from .conftest import until

FAST = {"interval": "500ms", "fallbacks": "[mqtt, http]"}


@pytest.fixture
def live(site):
    """A small topology at work on the embedded broker."""
    site.write(**FAST)
    site.run = site.up().ready()
    until(lambda: site.row("lc2")["committed_at_top"], "the first cycle at the top")
    return site


def drill(site, *words: str, **kwargs):
    return site.pdsno("fault", *words, "--state-dir", str(site.state), **kwargs)


def stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal (proc(5), state T)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.long
def test_broker_killed_and_held_is_recovered_from_without_loss(live):
    run = drill(live, "broker", str(live.file), "kill", "--for", "3s", "--json",
                "--expect", "lost<=0", "--expect", "fallback<=10s")  # fmt: skip
    assert run.end(60) == 0, run.lines
    report = json.loads(run.out)
    assert report["format_version"] == 1
    assert report["recovered"]
    assert 0 < report["fallback"] <= 10
    assert {item["transport"] for item in report["without_carrier"]} == {"http"}
    assert len(report["without_carrier"]) == 4
    assert report["recovery"] > 1  # the return is damped
    assert (report["lost"], report["twice"], report["broken"]) == (0, 0, [])
    row = live.row("lc1")
    assert (row["state"], row["transport"]) == ("ready", "mqtt")


def test_broker_frozen_shortly_delays_what_is_sent(live):
    run = drill(live, "broker", str(live.file), "freeze", "--for", "3s", "--expect", "delayed<=0")
    assert run.end(60) == 1, run.lines
    assert any("above the bound delayed<=0" in line for line in run.lines), run.lines
    assert "fallback  -" in run.out


def test_controller_frozen_is_refused_a_second_fault_and_recovers(live):
    pid = live.row("rc1")["pid"]
    run = drill(live, "controller", str(live.file), "rc1", "freeze", "--for", "4s")
    until(lambda: stopped(pid), "the freeze")
    second = live.ask("fault", "controller", str(live.file), "rc1", "kill")
    assert second.returncode == 1
    assert second.stderr == "error: rc1 has a fault already: wait until that is over\n"
    assert run.end(60) == 0, run.lines
    assert not stopped(pid)
    assert live.row("rc1")["pid"] == pid


def test_controller_killed_is_started_again_and_a_broken_bound_fails(live):
    pid = live.row("lc1")["pid"]
    run = drill(live, "controller", str(live.file), "lc1", "kill", "--for", "1s",
                "--expect", "recovery<=1ms")  # fmt: skip
    assert run.end(60) == 1
    assert any("above the bound recovery<=1ms" in line for line in run.lines), run.lines
    row = live.row("lc1")
    assert row["pid"] != pid
    assert row["restarts"] == 1


def test_interrupted_drill_is_lifted_at_once(live):
    pid = live.row("lc1")["pid"]
    run = drill(live, "controller", str(live.file), "lc1", "freeze", "--for", "10m")
    run.wait_line("lc1: frozen for 600 s")
    until(lambda: stopped(pid), "the freeze")
    run.interrupt()
    assert run.end() == 130
    assert "interrupted: the fault is lifted" in run.lines
    assert not stopped(pid)

    run = drill(live, "broker", str(live.file), "kill", "--for", "10m")
    run.wait_line("the broker: killed for 600 s")
    run.interrupt()
    assert run.end() == 130
    until(lambda: live.row("lc2")["transport"] == "mqtt", "the broker's return")


def test_drill_whose_command_is_killed_is_lifted_in_time(live):
    pid = live.row("lc1")["pid"]
    began = time.monotonic()
    run = drill(live, "controller", str(live.file), "lc1", "freeze", "--for", "3s")
    run.wait_line("lc1: frozen for 3 s")
    run.process.kill()
    until(lambda: stopped(pid), "the freeze")
    until(lambda: not stopped(pid), "the end of the freeze")
    assert time.monotonic() - began >= 3


def test_frozen_controller_and_broker_are_ended_by_down(live):
    lc1, broker = live.row("lc1")["pid"], live.run.broker()
    drills = [
        drill(live, "controller", str(live.file), "lc1", "freeze", "--for", "10m"),
        drill(live, "broker", str(live.file), "freeze", "--for", "10m"),
    ]
    until(lambda: stopped(lc1) and stopped(broker), "both freezes")
    assert live.ask("down", str(live.file)).returncode == 0
    assert live.run.end() == 0, live.run.lines
    assert not any("did not stop" in line for line in live.run.lines)
    for run in drills:
        assert run.end() == 1
        assert any("aborted" in line for line in run.lines), run.lines


def test_frozen_controller_and_broker_end_with_a_killed_supervisor(live):
    lc1, broker = live.row("lc1")["pid"], live.run.broker()
    for target in (("controller", str(live.file), "lc1", "freeze"),
                   ("broker", str(live.file), "freeze")):  # fmt: skip
        drill(live, *target, "--for", "10m").wait_line("frozen")
    until(lambda: stopped(lc1) and stopped(broker), "both freezes")
    os.kill(live.run.process.pid, signal.SIGKILL)
    until(lambda: not live.run.members(), "the end of all")


BROKER = "write: pdsno fault broker [FILE] kill|freeze"
CONTROLLER = "write: pdsno fault controller [FILE] ID kill|freeze"
LINK = "write: pdsno fault link [FILE] ID drop"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("controller FILE lc11 kill", "no controller 'lc11': did you mean 'lc1'?"),
        ("link FILE rc drop", "no controller 'rc': did you mean 'rc1'?"),
        ("broker", BROKER),
        ("broker FILE", BROKER),
        ("broker kill FILE", BROKER),
        ("broker FILE frieze", f"{BROKER}: did you mean 'freeze'?"),
        ("broker FILE drop", BROKER),
        ("controller FILE kill", CONTROLLER),
        ("controller kill FILE lc1", CONTROLLER),
        ("controller FILE lc1 lc2 kill", CONTROLLER),
        ("link drop", LINK),
        ("link lc1 dorp", f"{LINK}: did you mean 'drop'?"),
        (
            "broker FILE kill --expect fallbak<=1s",
            "invalid --expect 'fallbak<=1s': unknown measure 'fallbak': did you mean 'fallback'?",
        ),
        ("broker FILE freeze --for 0s", "--for 0s is too short: 100ms at least"),
        ("link FILE lc1 drop --for 50ms", "--for 50ms is too short: 100ms at least"),
        (
            "link FILE lc1 drop",
            "this topology is not up (no answer at STATE/control.sock); start it with pdsno up",
        ),
    ],
)
def test_wrong_usage_is_one_line(site, words, said):
    site.write()
    done = site.ask("fault", *words.replace("FILE", str(site.file)).split())
    assert done.returncode == 2
    assert done.stderr == f"error: {said.replace('STATE', str(site.state))}\n"


def test_declared_broker_is_refused(site):
    site.write(broker="{host: 127.0.0.1}", lab=False, snmp=0)
    done = site.ask("fault", "broker", str(site.file), "kill")
    assert done.returncode == 2
    assert "into an embedded broker only" in done.stderr


def test_topology_of_one_process_is_refused(site):
    site.write()
    site.up("--in-process").ready()
    done = site.ask("fault", "controller", str(site.file), "lc1", "kill")
    assert done.returncode == 1
    assert "without --in-process" in done.stderr
    assert done.stderr.count("\n") == 1

"""``pdsno check`` on real runs: as they should be, with a fault, and through a drill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket

import pytest

from tests.commands import pdsno

from .conftest import WAIT, until
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414 - a fixture shared by name

ALL = ["broker", "round trip", "controllers", "reports", "summaries", "policy", "inventories",
       "messages", "fallback"]  # fmt: skip


def check(site, *args: str) -> dict[str, dict]:
    words = ("check", site.file, "--state-dir", site.state, "--json", *args)
    done = pdsno(*words, timeout=4 * WAIT)
    document = json.loads(done.stdout)
    assert (document["format_version"], document["topology"]) == (1, site.root)
    found = {item["check"]: item for item in document["checks"]}
    assert done.returncode == any(item["verdict"] == "fail" for item in found.values())
    return found


@pytest.fixture
def paused():
    """Freezes processes, and lets them go on at the end."""
    pids = []

    def pause(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        pids.append(pid)

    yield pause
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("way", ["embedded", "mosquitto", "in-process"])
def test_run_as_it_should_be_passes_every_check(site, way, request):
    site.up_over(way, request)
    found = check(site)
    assert list(found) == ALL
    skipped = {"fallback"} | ({"broker", "round trip"} if way == "in-process" else set())
    assert {name for name, item in found.items() if item["verdict"] == "skip"} == skipped
    assert {item["verdict"] for name, item in found.items() if name not in skipped} == {"ok"}
    assert found["controllers"]["text"] == "4 of 4 are ready"
    assert found["reports"]["text"] == "last cycle of 2 of 2 locals is in its region"
    assert found["summaries"]["text"] == "those of 1 of 1 regions are at the top"
    assert found["policy"]["text"] == "4 of 4 controllers follow the policies of 2 scopes"
    assert found["inventories"]["text"] == "2 of 2 locals agree at all levels, 6 devices"
    text = site.ask("check", str(site.file))
    assert text.returncode == 0
    assert all(len(line) <= 80 for line in text.stdout.splitlines())
    assert sum(line[:1].isalpha() for line in text.stdout.splitlines()) == len(ALL)


def test_first_cycle_that_ends_while_it_looks_counts(site):
    site.write(interval="1h", lab=False)
    site.file.write_text(site.file.read_text().replace("timeout: 500ms", "timeout: 4s"))
    with contextlib.ExitStack() as agents:
        for host in range(1, 7):  # they are asked, and never answer
            agent = agents.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            agent.bind((f"{site.net}.{host}", site.snmp_port))
        site.up().ready()
        assert (site.row("lc1")["cycle"], site.row("lc2")["cycle"]) == (0, 0)
        assert check(site, "--timeout", "1s")["reports"]["verdict"] == "fail"
        found = check(site, "--timeout", "30s")["reports"]
    assert (found["verdict"], found["subjects"]) == ("ok", [])


def test_reports_that_a_frozen_regional_controller_does_not_commit_are_named(site, paused):
    site.write()
    site.up().ready()
    until(lambda: check(site)["reports"]["verdict"] == "ok", "a first cycle")
    paused(site.row("rc1")["pid"])
    until(lambda: not site.status()["well"], "its silence")
    found = check(site, "--timeout", "1s")
    assert found["controllers"]["subjects"][0] == "rc1"
    assert found["reports"]["verdict"] == "fail"
    assert sorted(found["reports"]["subjects"]) == ["lc1", "lc2"]
    assert "has ended, cycle" in found["reports"]["text"]
    assert found["broker"]["verdict"] == found["round trip"]["verdict"] == "ok"
    text = site.ask("check", str(site.file), "--timeout", "100ms").stdout
    assert "\nFAIL  reports" in text
    assert f"→ pdsno logs {site.root} lc" in text


def test_controller_without_the_wanted_policy_is_named(site, paused):
    site.write(interval="1h")
    site.up().ready()
    until(lambda: check(site)["reports"]["verdict"] == "ok", "a first cycle")
    paused(site.row("lc1")["pid"])
    policy = site.folder / "policy.yaml"
    policy.write_text("scan_interval: 30m\n")
    site.ask("policy", "apply", str(policy), str(site.file), "--scope", "r1", "--timeout", "1s")
    found = check(site, "--timeout", "1s")
    assert (found["policy"]["verdict"], found["policy"]["subjects"]) == ("fail", ["lc1"])
    assert found["reports"]["verdict"] == "ok"


@pytest.mark.long
def test_drill_measures_the_fallback(site):
    site.write(fallbacks="[mqtt, http]", interval="1h")
    site.up().ready()
    until(lambda: check(site)["reports"]["verdict"] == "ok", "a first cycle")
    found = check(site, "--drill")["fallback"]
    assert found["verdict"] == "ok", found
    assert found["text"].startswith("all ready over http after")
    assert "0 lost, 0 twice; back on the broker in" in found["text"]


def test_drill_leaves_alone_what_it_must_not_stop_or_cannot_show(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", fallbacks="[mqtt, http]")
    run = site.up().ready()
    found = check(site, "--drill")["fallback"]
    assert found["verdict"] == "skip"
    assert "declared, and not ours to stop" in found["text"]
    run.interrupt()
    assert run.end() == 0
    site.write()
    site.up().ready()
    found = check(site, "--drill")["fallback"]
    assert (found["verdict"], found["text"].split("(")[0]) == ("skip", "the file has none ")


def test_topology_that_is_not_up_is_one_line(site):
    site.write()
    done = site.ask("check", str(site.file))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: this topology is not up")
    assert done.stderr.count("\n") == 1

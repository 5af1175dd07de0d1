"""A machine that has the file of a plane, but neither its supervisor nor its stores."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.commands import pdsno

from .conftest import WAIT, until
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414 - a fixture shared by name

IDS = ["g1", "rc1", "lc1", "lc2"]
MARK = "heard over the broker just now; not from its supervisor"


@pytest.fixture
def apart(site, mosquitto):
    """Every controller runs alone, elsewhere; ``ask`` runs a command on another machine."""
    key = site.folder / "shared.key"
    key.write_text("a key of more than sixteen bytes")
    key.chmod(0o600)
    site.write(
        broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}",
        interval="500ms",
        extra=f'signing_key: "file:{key}"',
    )
    site.alone = {
        name: site.pdsno("controller", "run", str(site.file), name, "--state-dir", str(site.state))
        for name in IDS
    }

    def ask(*words: str) -> subprocess.CompletedProcess:
        return pdsno(*words, site.file, "--state-dir", site.folder / "elsewhere", timeout=WAIT)

    site.ask_there = ask
    until(lambda: ask("status").returncode == 0, "all to be alive")
    return site


def test_status_shows_who_is_heard_and_marks_it(apart):
    done = apart.ask_there("status")
    assert f"({MARK})" in done.stdout
    assert "4/4 alive" in done.stdout.splitlines()[0]
    assert "no supervisor of" in done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert "left out, known to its supervisor alone: devices, cycles" in done.stdout
    found = json.loads(apart.ask_there("status", "--json").stdout)
    assert (found["source"], found["well"]) == ("heard", True)
    assert [row["id"] for row in found["controllers"]] == IDS
    assert {row["health"] for row in found["controllers"]} == {"alive"}
    assert found["controllers"][0]["holder"].endswith(f"topology {apart.root}")


def test_status_tells_a_death_and_a_silence_from_life(apart):
    apart.alone["lc1"].interrupt()
    assert apart.alone["lc1"].end() == 0
    apart.alone["lc2"].process.kill()
    done = until(
        lambda: (d := apart.ask_there("status")).stdout.count(": down: ") == 2 and d, "two deaths"
    )
    assert done.returncode == 1
    assert "lc1: down: it was stopped" in done.stdout
    assert "lc2: down: its connection broke (will)" in done.stdout
    some = apart.ask_there("status", "--role", "regional")
    assert some.returncode == 0
    assert "1/1 alive" in some.stdout


def test_policy_status_shows_what_is_published_and_names_what_is_left_out(apart):
    left_out = "left out, the versions that run are in the stores of: g1, rc1, lc1, lc2"
    done = until(  # a version that is applied while it listens, it hears of
        lambda: left_out in (d := apart.ask_there("policy", "status")).stdout and d, left_out
    )
    assert done.returncode == 0
    assert MARK in done.stdout
    line = next(
        text for text in done.stdout.splitlines() if text.startswith("lc1 ") and "r1" in text
    )
    assert line.split()[-1].isdecimal()
    found = json.loads(apart.ask_there("policy", "status", "--json").stdout)
    assert found["source"] == "heard"
    assert all(row["wanted"] for row in found["controllers"])


def test_audit_shows_acknowledgements_and_accounts_for_nothing(apart):
    found = json.loads(apart.ask_there("audit", "--json").stdout)
    assert (found["source"], found["accounted"], found["well"]) == ("heard", False, False)
    assert found["without_store"] == IDS
    acknowledged = {row["stream"]: row["receiver"] for row in found["streams"]}
    assert acknowledged["discovery/r1/lc1"] == "rc1"
    assert acknowledged["summary/r1/rc1"] == "g1"
    done = apart.ask_there("audit")
    assert done.returncode == 1
    assert "left out, sums and inventories are in the stores of: g1, rc1, lc1, lc2" in done.stdout


def test_check_uses_what_is_heard_and_the_stores_that_are_here(apart):
    there = json.loads(apart.ask_there("check", "--json").stdout)["checks"]
    found = {item["check"]: item for item in there}
    assert found["controllers"]["text"] == "4 of 4 are heard alive"
    assert found["broker"]["verdict"] == found["round trip"]["verdict"] == "ok"
    for name in ("reports", "policy", "inventories", "messages"):
        assert found[name]["verdict"] == "skip", found[name]
    here = json.loads(apart.ask("check", str(apart.file), "--json").stdout)["checks"]
    assert {item["verdict"] for item in here if item["check"] != "fallback"} == {"ok"}, here


def test_plane_that_was_taken_down_is_not_up(site, mosquitto):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    run = site.up().ready()
    run.interrupt()
    assert run.end() == 0
    done = site.ask("status", str(site.file))
    assert (done.returncode, done.stdout) == (2, "")
    assert "or all were stopped; start it with pdsno up" in done.stderr


def test_plane_without_a_key_here_says_what_to_do(site, mosquitto):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    for command in ("status", "check", "audit"):
        done = site.ask(command, str(site.file))
        assert (done.returncode, done.stdout) == (2, "")
        assert "start it with pdsno up, or declare the signing_key" in done.stderr


def test_plane_that_was_never_up_is_one_line(site, mosquitto):
    site.write(
        broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}",
        heartbeat="300ms",
        extra='signing_key: "${PDSNO_TEST_KEY}"',
    )
    env = {"PDSNO_TEST_KEY": "a key of more than sixteen bytes"}
    done = pdsno("status", site.file, "--state-dir", site.state, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not up: none of its controllers is heard at broker 127.0.0.1" in done.stderr
    assert "start it with pdsno up" in done.stderr

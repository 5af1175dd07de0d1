"""``pdsno policy``: another policy in force, everywhere, for as long as it is meant to be."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
import yaml

from .conftest import until
from .test_discover import live as live  # noqa: PLC0414 - a fixture shared by name
from .test_discover import sealed
from .test_mosquitto import body, shout
from .test_mosquitto import ear as ear  # noqa: PLC0414
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414

PROTOCOLS = "protocols: [icmp]\n"


def apply(site, text: str, scope: str, *args: str):
    path = site.folder / "policy.yaml"
    path.write_text(text)
    return site.ask("policy", "apply", str(path), str(site.file), "--scope", scope, *args)


def shown(site, scope: str) -> dict:
    done = site.ask("policy", "show", str(site.file), "--scope", scope, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["policies"][0]


def standings(site, scope: str) -> dict[str, dict]:
    done = site.ask("policy", "status", str(site.file), "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["controllers"]
    return {row["controller_id"]: row for row in rows if row["scope"] == scope}


@pytest.mark.parametrize("way", ["embedded", "mosquitto", "in-process"])
def test_applied_policy_is_in_force_everywhere_once_apply_returns(site, way, request):
    run = site.up_over(way, request)
    run.wait_line("lc1: cycle 1 ")
    done = apply(site, "scan_interval: 500ms\n", "r1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [row["id"] for row in report["controllers"]] == ["rc1", "lc1", "lc2"]
    assert all(row["applied"] for row in report["controllers"])
    run.wait_line("lc1: cycle 3 ")  # an hour from now, by the file
    assert shown(site, "r1") | {"since": ""} == {
        "scope": "r1", "version": report["version"], "origin": "applied", "since": "",
        "policy": {"scan_interval": "500ms"},
    }  # fmt: skip
    wide = apply(site, PROTOCOLS, "global")
    assert wide.returncode == 0, wide.stderr
    assert re.findall(r"^(\w+) +(\w+) +\d+ +\d", wide.stdout, re.MULTILINE) == [
        ("g1", "global"), ("rc1", "regional"), ("lc1", "local"), ("lc2", "local"),
    ]  # fmt: skip
    known = standings(site, "global")
    assert {row["version"] for row in known.values()} == {shown(site, "global")["version"]}
    assert len(known) == 4
    run.interrupt()
    assert run.end() == 0, run.lines
    assert standings(site, "global") == known  # known without a run, too


@pytest.mark.long
def test_applied_policy_survives_restarts_until_the_file_declares_another(site):
    site.write(interval="1h")
    site.up().ready()
    assert apply(site, "scan_interval: 2h\n", "r1").returncode == 0
    first = shown(site, "r1")
    pid = site.row("rc1")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: site.row("rc1")["pid"] not in (None, pid) and site.row("rc1")["state"] == "ready",
          "another process")  # fmt: skip
    assert shown(site, "r1") == first
    assert site.ask("down", str(site.file)).returncode == 0
    site.write(interval="1h", devices=4)  # other targets do not change the policy
    run = site.up().ready()
    assert shown(site, "r1") == first
    run.interrupt()
    assert run.end() == 0
    site.write(interval="30m", devices=4)
    site.up().ready()
    last = shown(site, "r1")
    assert (last["origin"], last["policy"]["scan_interval"]) == ("file", "30m")
    assert last["version"] > first["version"]
    until(
        lambda: {row["version"] for row in standings(site, "r1").values()} == {last["version"]},
        "the file's policy everywhere",
    )


def test_apply_names_controllers_that_have_not_applied_it_at_the_timeout(site):
    site.write(interval="1h")
    run = site.up().ready()
    run.wait_line("lc2: cycle 1 ")
    pid = site.row("lc2")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = apply(site, PROTOCOLS, "r1", "--timeout", "2s")
        behind = standings(site, "r1")["lc2"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.returncode == 1
    assert "not in force within 2 s at lc2;" in done.stderr
    assert re.search(r"^lc2 +local +not yet$", done.stdout, re.MULTILINE)
    assert behind["version"] < behind["wanted"]
    until(lambda: standings(site, "r1")["lc2"]["version"] == behind["wanted"], "its turn")


def test_shown_policy_can_be_applied_again(site):
    site.write(interval="1h")
    site.up().ready()
    text = site.ask("policy", "show", str(site.file), "--scope", "r1").stdout
    assert yaml.safe_load(text)["targets"].keys() == {"lc1", "lc2"}
    assert apply(site, text, "r1").returncode == 0
    again = site.ask("policy", "show", str(site.file), "--scope", "r1").stdout
    assert again.splitlines()[1:] == text.splitlines()[1:]


def test_policy_with_a_mistake_is_not_ordered(site):
    site.write(interval="1h")
    site.up().ready()
    before = shown(site, "r1")
    done = apply(site, "scan_intervl: 5s\ntargets: {lc-1: 10.0.0.1}\n", "r1")
    assert done.returncode == 1
    assert re.search(r"policy\.yaml:1:1: error\[PDS101\] unknown key 'scan_intervl'", done.stderr)
    assert "did you mean 'lc1'?" in done.stderr
    wrong = apply(site, PROTOCOLS, "r-1")
    assert wrong.returncode == 2
    assert "unknown scope 'r-1': did you mean 'r1'?" in wrong.stderr
    assert shown(site, "r1") == before


def test_policy_without_a_run_is_one_line(site):
    site.write()
    for args in (("policy", "show", str(site.file)), ("policy", "status", str(site.file))):
        done = site.ask(*args)
        assert done.returncode == 2
        assert "was never up" in done.stderr
    down = apply(site, PROTOCOLS, "r1")
    assert down.returncode == 2
    assert "is not up" in down.stderr


def test_regional_refuses_an_older_global_policy_even_if_retained(live):
    from pdsno_cli.model.messages import PolicyDocument

    topic = live.topics.policy("global")
    old = sealed(live, PolicyDocument(scope="global", version=1), topic=topic, sender="g1",
                 kind="policy", epoch=10**11)  # fmt: skip
    before = live.row("rc1")["refused"].get("replayed", 0)
    shout(live.port, topic, old, "-r")
    until(lambda: live.row("rc1")["refused"].get("replayed", 0) == before + 1, "its refusal")
    assert standings(live, "global")["rc1"]["version"] > 1


def test_order_of_an_invalid_policy_is_refused_with_an_event(live, ear):
    from pdsno_cli.model.messages import Command, PolicyDocument

    heard = ear(live.port, f"{live.root}/events/r1")
    policy = PolicyDocument(scope="r1", version=0, scan_interval=0.0)
    topic = live.topics.command("rc1")
    shout(live.port, topic, sealed(live, Command(order="policy", policy=policy), topic=topic))
    event = heard.first(lambda _, b: b["payload"].get("event") == "command_refused")
    assert "out of bounds" in body(event)["payload"]["detail"]["why"]
    until(lambda: live.row("rc1")["refused"] == {"invalid": 1}, "its count")


def test_global_record_of_what_others_go_by_stands_in_for_their_stores(site):
    site.write(interval="1h")
    run = site.up().ready()
    assert apply(site, PROTOCOLS, "r1").returncode == 0
    known = standings(site, "r1")

    def at_the_top() -> set[tuple[str, int]]:
        lines = site.ask("events", str(site.file), "--json").stdout.splitlines()
        applied = [e for e in map(json.loads, lines) if e["event"] == "policy_applied"]
        return {(e["subject"], e["detail"]["version"]) for e in applied}

    wanted = {(name, row["version"]) for name, row in known.items()}
    until(lambda: wanted <= at_the_top(), "their word at the top")
    run.interrupt()
    assert run.end() == 0
    for path in (site.state / "stores").iterdir():
        if not path.name.startswith("g1."):
            path.unlink()
    told = standings(site, "r1")
    assert {row["source"] for row in known.values()} == {"store"}
    assert {row["source"] for row in told.values()} == {"event"}
    assert {k: row["version"] for k, row in told.items()} == {
        k: row["version"] for k, row in known.items()
    }


@pytest.mark.parametrize("way", ["embedded", "in-process"])
def test_reset_goes_back_to_the_policy_of_the_file(site, way, request):
    site.up_over(way, request)
    before = shown(site, "r1")
    assert apply(site, "scan_interval: 2h\nmissed_cycles: 9\n", "r1").returncode == 0
    applied = shown(site, "r1")
    done = site.ask("policy", "reset", str(site.file), "--scope", "r1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(row["id"], row["applied"]) for row in report["controllers"]] == [
        ("rc1", True), ("lc1", True), ("lc2", True),
    ]  # fmt: skip
    after = shown(site, "r1")
    assert (after["origin"], after["policy"]) == ("file", before["policy"])
    assert after["version"] == report["version"] > applied["version"]
    assert {row["version"] for row in standings(site, "r1").values()} == {report["version"]}
    wide = site.ask("policy", "reset", str(site.file), "--scope", "global")
    assert wide.returncode == 0, wide.stderr
    assert wide.stdout.count("\n") == 5
    wrong = site.ask("policy", "reset", str(site.file), "--scope", "r-1")
    assert (wrong.returncode, "did you mean 'r1'?" in wrong.stderr) == (2, True)


def hostile(live, version: int, **keys) -> None:
    """Publish, retained and signed with the right key, a policy of the region."""
    from pdsno_cli.model.messages import PolicyDocument

    topic = live.topics.policy("r1")
    document = PolicyDocument(**{"scope": "r1", "version": version, **keys})
    shout(live.port, topic, sealed(live, document, topic=topic, sender="rc1", kind="policy"), "-r")


def test_published_policy_that_makes_no_sense_is_refused_and_discovery_goes_on(live, ear):
    heard = ear(live.port, f"{live.root}/events/r1")
    before = standings(live, "r1")
    version = before["rc1"]["version"]
    tried = [
        {"targets": {"lc1": ("not an address",)}},
        {"targets": {"lc1": ("0.0.0.0/0",)}},
        {"targets": {"lc1": (f"{live.net}.0/12",)}},
        {"protocols": ("telepathy",)},
        {"missed_cycles": 0},
        {"scan_interval": 0.0},
    ]
    for number, keys in enumerate(tried, 1):
        hostile(live, version + number, **keys)
    event = heard.first(lambda _, b: b["payload"].get("event") == "policy_refused"
                        and b["payload"]["subject"] == "lc1")  # fmt: skip
    detail = body(event)["payload"]["detail"]
    assert (detail["scope"], detail["version"]) == ("r1", version + 1)
    assert (
        detail["why"]
        == "'not an address' is not an address range: it names several; write a list of them"
    )
    until(lambda: live.row("lc1")["refused"] == {"invalid": len(tried)}, "their refusal")
    assert standings(live, "r1") == before
    heard.first(lambda _, b: b["payload"].get("event") == "policy_restored")
    retained = ear(live.port, f"{live.root}/policy/r1").first(lambda m, _: m["retain"])
    assert body(retained)["payload"]["version"] == version
    hostile(live, version + 100, scan_interval=0.0)
    pid = live.row("lc1")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: live.row("lc1")["pid"] not in (None, pid) and live.row("lc1")["state"] == "ready",
          "another process")  # fmt: skip
    done = live.ask("discover", str(live.file), "lc1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["controllers"][0]["devices"] == 3
    assert standings(live, "r1")["lc1"] == before["lc1"]


def test_policy_that_wants_less_cuts_the_cycle_that_runs(site):
    site.write(interval="1h", lab=False)
    wide = f"{site.net.rpartition('.')[0]}.0.0/16"
    text = site.file.read_text().replace(f"{site.net}.1-{site.net}.3", wide)
    site.file.write_text(text.replace(f"{site.net}.4-{site.net}.6", "127.119.0.1"))
    run = site.up().ready()
    one = f"{wide.removesuffix('.0.0/16')}.7.7"
    assert apply(site, f"targets: {{lc1: [{one}]}}\n", "r1").returncode == 0
    run.wait_line("lc1: cycle 1 ")
    devices = until(lambda: site.devices("--of", "lc1"), "a device")
    assert [item["addresses"] for item in devices] == [[one]]

"""A second ``pdsno up``: it changes of a running topology what differs, and nothing else."""

from __future__ import annotations

import json
import os
import re
import signal
import socket

import pytest

from .conftest import until


def pids(site) -> dict[str, int]:
    return {row["id"]: row["pid"] for row in site.status()["controllers"]}


def epochs(site) -> dict[str, int]:
    return {row["id"]: row["epoch"] for row in site.status()["controllers"]}


def edit(site, *pairs: tuple[str, str]) -> None:
    text = site.file.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    site.file.write_text(text)


def without(site, *marks: str) -> None:
    lines = site.file.read_text().splitlines(keepends=True)
    site.file.write_text("".join(x for x in lines if not any(mark in x for mark in marks)))


def add_one_that_cannot_start(site) -> None:
    line = f"  lc3: {{role: local, region: r1, discovery: {{targets: ['{site.net}.90']}}}}\n"
    site.file.write_text(site.file.read_text() + line)
    (site.state / "stores" / "lc3.db").write_bytes(b"not a database" * 100)


def apply(site, *args: str, code: int = 0) -> str:
    """Run ``up`` for a topology that is up; return what it says."""
    done = site.ask("up", str(site.file), *args)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_up_again_changes_nothing_and_starts_nothing_again(site):
    site.write()
    site.up().ready()
    before = pids(site), epochs(site)
    text = apply(site)
    assert f"{site.root}: nothing to change" in text
    assert (pids(site), epochs(site)) == before
    assert "nothing to change" in apply(site, "-d")
    assert (pids(site), epochs(site)) == before


def test_up_with_a_changed_interval_is_live(site):
    site.write(interval="1h")
    first = site.up().ready()
    until(lambda: site.row("lc1")["cycle"] == 1, "the first cycle")
    before = pids(site), epochs(site)
    edit(site, ("scan_interval: 1h", "scan_interval: 1s"))
    text = apply(site)
    assert re.search(rf"{site.root}: applied in \d+\.\d s: 1 live", text)
    until(lambda: site.row("lc1")["cycle"] >= 3, "cycles at the new interval")
    assert (pids(site), epochs(site)) == before
    assert not [line for line in first.lines if "disconnected" in line]
    assert "nothing to change" in apply(site)


def test_targets_added_and_removed_are_live(site):
    site.write(devices=6, snmp=6)
    first = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site), epochs(site)
    half = f'"{site.net}.1-{site.net}.3"'
    edit(site, (half, f'"{site.net}.1-{site.net}.3", "{site.net}.7-{site.net}.8"'),
         ("devices: 6, snmp: 6", "devices: 8, snmp: 8"))  # fmt: skip
    text = apply(site)
    assert "3 live" in text
    until(lambda: len(site.devices()) == 8, "the devices of the new targets")
    edit(site, (f', "{site.net}.7-{site.net}.8"', ""),
         ("devices: 8, snmp: 8", "devices: 6, snmp: 6"))  # fmt: skip
    apply(site)
    until(lambda: len(site.devices()) == 6, "the end of the devices of the old targets")
    assert (pids(site), epochs(site)) == before
    assert not [line for line in first.lines if re.search("disconnected|refuse", line)]
    assert sum(sum(row["refused"].values()) for row in site.status()["controllers"]) == 0
    assert site.ask("audit", str(site.file)).returncode == 0


def test_exclusions_rates_and_blackouts_are_live(site):
    site.write(devices=6, snmp=6)
    first = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site), epochs(site)
    guest = f"exclude: [{site.net}.2], rate: 200, timeout: {{ceiling: 300ms}}, snmp_to: all"
    edit(site, ("missed_cycles: 2", "\n    ".join(("missed_cycles: 2", *guest.split(", ")))))
    apply(site)
    until(lambda: len(site.devices()) == 5, "the end of the device that is excluded")
    edit(site, ("    rate: 200\n", '    blackout: ["00:00-23:59", "23:00-01:00"]\n'))
    apply(site)
    first.wait_line(r"lc1: warning: blackout until \d{4}-\d\d-\d\d \d\d:\d\d: no cycle starts")
    cycle = site.row("lc1")["cycle"]
    assert len(site.devices()) == 5
    edit(site, ('    blackout: ["00:00-23:59", "23:00-01:00"]\n', ""))
    apply(site)
    until(lambda: site.row("lc1")["cycle"] > cycle, "a cycle after the blackout")
    assert (pids(site), epochs(site)) == before


def test_a_local_that_is_removed_leaves_nothing_and_may_come_back(site):
    site.write(devices=6, snmp=6)
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site)
    text = site.file.read_text()
    without(site, "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    done = apply(site)
    assert re.search(r"applied in \d+\.\d s: 1 remove, 2 live", done)
    assert pids(site) == {name: pid for name, pid in before.items() if name != "lc2"}
    until(lambda: len(site.devices("--all")) == 3, "the end of its devices")
    assert len(site.devices("--all", "--of", "rc1")) == 3
    assert not [*site.state.rglob("lc2*")]
    audit = site.ask("audit", str(site.file), "--json")
    assert audit.returncode == 0, audit.stdout
    assert "lc2" not in audit.stdout
    assert "lc2" not in json.dumps(site.status())

    site.file.write_text(text)
    again = apply(site)
    assert re.search(r"applied in \d+\.\d s: 1 add, 2 live", again)
    until(lambda: len(site.devices()) == 6, "its devices")
    assert {pids(site)[name] for name in ("g1", "rc1", "lc1")} == {
        before[name] for name in ("g1", "rc1", "lc1")
    }
    assert site.ask("audit", str(site.file)).returncode == 0


TWO_REGIONS = (
    ("regions:\n", "regions:\n  r2: {}\n"),
    ("  rc1:", "  rc2: {role: regional, region: r2}\n  rc1:"),
    ("lc2: {role: local, region: r1", "lc2: {role: local, region: r2"),
)


def test_a_local_that_moves_leaves_nothing_in_its_old_region(site):
    site.write(devices=6, snmp=6)
    edit(site, *TWO_REGIONS)
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site)
    edit(site, ("lc2: {role: local, region: r2", "lc2: {role: local, region: r1"))
    done = apply(site)
    assert "1 move" in done
    until(lambda: {d["region"] for d in site.devices()} == {"r1"}, "the move at the top")
    until(lambda: len(site.devices("--of", "rc1")) == 6, "the move to its new region")
    assert site.devices("--of", "rc2", "--all") == []
    after = pids(site)
    assert {name for name in after if after[name] != before[name]} == {"lc2"}
    audit = site.ask("audit", str(site.file))
    assert audit.returncode == 0, audit.stdout
    assert site.ask("status", str(site.file)).returncode == 0


def test_a_region_that_is_removed_takes_its_locals_and_devices_along(site, request):
    site.write(devices=6, snmp=6)
    edit(site, *TWO_REGIONS)
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site)
    without(site, "r2: {}", "rc2:", "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    plan = site.ask("plan", str(site.file))
    assert "region r2 ends: removes its policy, 1 local controller and 3 devices" in plan.stdout
    done = apply(site)
    assert "2 remove, 1 live" in done
    until(lambda: len(site.devices("--all")) == 3, "the end of its devices")
    assert pids(site) == {name: before[name] for name in ("g1", "rc1", "lc1")}
    assert not [*site.state.rglob("lc2*"), *site.state.rglob("rc2*")]
    assert site.ask("audit", str(site.file)).returncode == 0


def test_a_changed_broker_replaces_everything(site, free_port):
    site.write()
    first = site.up().ready()
    before = pids(site)
    edit(site, ("{embedded: true}", f"{{embedded: true, port: {free_port}}}"))
    done = apply(site)
    assert "4 replace" in done
    assert site.status()["broker_port"] == free_port
    assert not set(pids(site).values()) & set(before.values())
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    assert site.ask("audit", str(site.file)).returncode == 0
    first.interrupt()
    assert first.end() == 0, first.lines
    assert first.members() == []


def test_a_change_that_cannot_start_is_reverted_and_says_why(site):
    site.write(lab=False, interval="1h")
    first = site.up().ready()
    before = pids(site)
    text = site.file.read_text()
    add_one_that_cannot_start(site)
    done = apply(site, code=1)
    assert "lc3" in done
    assert "damaged" in done
    assert "what ran before runs again" in done
    assert pids(site) == before
    assert site.ask("status", str(site.file)).returncode == 0
    assert not [*site.state.rglob("lc3*")]
    site.file.write_text(text)
    assert "nothing to change" in apply(site)
    first.interrupt()
    assert first.end() == 0, first.lines


@pytest.mark.parametrize("value", [None, "short"])
def test_a_key_that_cannot_be_used_is_refused_before_anything_stops(site, monkeypatch, value):
    site.write(lab=False, interval="1h")
    site.up().ready()
    before, text = pids(site), site.file.read_text()
    monkeypatch.delenv("NEW_KEY", raising=False)
    site.file.write_text("signing_key: ${NEW_KEY}\n" + text)
    if value is None:
        planned = site.ask("plan", str(site.file))
        assert planned.returncode == 1
        assert "NEW_KEY is not set" in planned.stderr
    else:
        monkeypatch.setenv("NEW_KEY", value)
    done = apply(site, code=1)
    assert ("NEW_KEY is not set" if value is None else "has 5 bytes") in done
    assert "not healthy" not in done
    assert pids(site) == before
    monkeypatch.setenv("NEW_KEY", "k" * 32)
    assert "4 replace" in apply(site)
    assert not set(pids(site).values()) & set(before.values())
    site.file.write_text(text)
    assert "4 replace" in apply(site)


def test_a_port_that_another_process_has_is_refused_before_anything_stops(site):
    site.write(lab=False, interval="1h")
    site.up().ready()
    before = pids(site)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        edit(site, ("{embedded: true}", f"{{embedded: true, port: {port}}}"))
        done = apply(site, code=1)
    assert f"port {port} is in use" in done
    assert "not healthy" not in done
    assert pids(site) == before
    assert "4 replace" in apply(site)


def test_queued_messages_outlive_another_root_and_key(site, monkeypatch):
    """A controller that is not there has messages of its own, and the replaced ones queue theirs."""
    site.write(lab=False, interval="1h")
    first = site.up().ready()
    monkeypatch.setenv("NEW_KEY", "k" * 32)
    assert site.ask("stop", str(site.file), "g1").returncode == 0
    assert site.ask("stop", str(site.file), "lc1").returncode == 0  # an event that waits for g1
    until(lambda: site.row("rc1")["waiting"], "a message that waits")
    edit(site, (f"root: {site.root}", f"root: {site.root}-later"))
    site.file.write_text("signing_key: ${NEW_KEY}\n" + site.file.read_text())
    assert "4 replace" in apply(site)

    def events() -> set[str]:
        lines = site.ask("events", str(site.file), "--json").stdout.splitlines()
        return {json.loads(line)["event"] for line in lines}

    until(lambda: "controller_down" in events(), "the event that waited")
    until(
        lambda: not any(row["waiting"] for row in site.status()["controllers"]), "all acknowledged"
    )
    assert site.ask("audit", str(site.file)).returncode == 0
    first.interrupt()
    assert first.end() == 0, first.lines


def test_a_change_that_is_not_healthy_in_time_is_reverted(site):
    site.write(lab=False, interval="1h")
    site.up().ready()
    before = pids(site)
    text = site.file.read_text()
    with_broker = "{embedded: false, host: 127.0.0.1, port: 9}"
    edit(site, ("{embedded: true}", with_broker))
    done = apply(site, "--wait", "5s", code=1)
    assert "127.0.0.1:9" in done
    assert "what ran before runs again" in done
    assert pids(site).keys() == before.keys()
    assert site.ask("status", str(site.file)).returncode == 0
    site.file.write_text(text)
    assert "nothing to change" in apply(site)


def test_a_change_that_takes_long_names_what_it_waits_for(site):
    site.write(lab=False, interval="1h")
    site.up().ready()
    site.file.write_text(
        site.file.read_text() + "  lc3: {role: local, region: r1, nib: "
        f"'postgresql+psycopg://127.0.0.1:9/none', discovery: {{targets: ['{site.net}.90']}}}}\n"
    )
    done = apply(site, "--wait", "8s", code=1)
    assert re.search(r"\nwaiting for lc3: .*127\.0\.0\.1", done)
    assert "not healthy within 8 s: lc3" in done


def test_no_revert_keeps_what_is_not_healthy(site):
    site.write(lab=False, interval="1h")
    site.up().ready()
    add_one_that_cannot_start(site)
    done = apply(site, "--no-revert", code=1)
    assert "as --no-revert says" in done
    assert site.row("lc3")["state"] == "failed"
    again = apply(site, code=1)  # it is started again, and fails again
    assert "restarting lc3" in again
    assert "damaged" in again
    assert "what ran before" not in again


def test_check_refuses_when_file_or_plane_changed(site):
    site.write(interval="1h", lab=False)
    edit(site, ("heartbeat: 1s", "heartbeat: 2s"))

    def token() -> str:
        return json.loads(site.ask("plan", str(site.file), "--json").stdout)["token"]

    cold = token()
    edit(site, ("heartbeat: 2s", "heartbeat: 1s"))
    assert "has changed since that plan" in apply(site, "--check", cold, code=1)
    site.up("--check", token()).ready()
    edit(site, ("heartbeat: 1s", "heartbeat: 2s"))
    planned = token()
    edit(site, ("heartbeat: 2s", "heartbeat: 3s"))
    refused = apply(site, "--check", planned, code=1)
    assert "has changed since that plan" in refused
    assert refused.count("\n") == 1
    edit(site, ("heartbeat: 3s", "heartbeat: 2s"))
    apply(site, "--check", planned)
    edit(site, ("heartbeat: 2s", "heartbeat: 1s"))
    apply(site)
    edit(site, ("heartbeat: 1s", "heartbeat: 2s"))
    assert "has changed since that plan" in apply(site, "--check", planned, code=1)


def test_dry_run_shows_the_plan_and_changes_nothing(site):
    site.write(interval="1h", lab=False)
    site.up().ready()
    before = pids(site)
    without(site, "lc2:")
    done = site.ask("up", str(site.file), "--dry-run")
    assert done.returncode == 0
    assert "- lc2: remove (local, r1)" in done.stdout
    assert pids(site) == before


def test_a_new_secret_reaches_a_controller_that_is_restarted(site, monkeypatch):
    site.write(interval="1s", snmp=6)
    edit(site, ("timeout: 500ms", "timeout: 500ms, community: '${COMM}'"))
    monkeypatch.setenv("COMM", "eins")
    site.up().ready()
    until(lambda: sum("snmp" in d["protocols"] for d in site.devices()) == 6, "SNMP answers")
    before = pids(site)
    monkeypatch.setenv("COMM", "zwei")
    done = apply(site)
    assert "2 restart" in done
    after = pids(site)
    assert {name for name in after if after[name] != before[name]} == {"lc1", "lc2"}
    row = site.row("lc1")
    until(lambda: site.row("lc1")["cycle"] >= 3, "cycles with the new community")
    assert row["epoch"] != 0
    assert sum("snmp" in d["protocols"] for d in site.devices()) == 6
    assert "zwei" not in (site.state / "run.json").read_text()


def test_in_process_run_applies_too(site):
    site.write(devices=6, snmp=6)
    site.up("--in-process").ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = epochs(site)
    without(site, "lc2:")
    edit(
        site,
        ("devices: 6, snmp: 6", "devices: 3, snmp: 3"),
        ("scan_interval: 1s", "scan_interval: 2s"),
    )
    done = apply(site)
    assert "1 remove, 2 live" in done
    until(lambda: len(site.devices("--all")) == 3, "the end of its devices")
    assert epochs(site) == {name: before[name] for name in ("g1", "rc1", "lc1")}
    edit(site, ("timeout: 500ms", "timeout: 600ms"))
    assert "1 restart" in apply(site)
    assert site.ask("status", str(site.file)).returncode == 0


def test_supervisor_killed_in_the_midst_of_an_apply_and_the_next_up_converges(site):
    site.write(devices=6, snmp=6)
    first = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    without(site, "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    again = site.up()
    first.wait_line("stopping lc2")
    first.process.kill()
    assert again.end() == 1, again.lines
    assert "Traceback" not in "\n".join(again.lines)
    first.end()
    until(lambda: not first.members(), "the end of every process")
    site.up().ready()
    until(lambda: len(site.devices()) == 3, "the view of the new file")
    until(lambda: not [*site.state.rglob("lc2*")], "the end of all that lc2 kept")
    assert site.ask("audit", str(site.file)).returncode == 0


def test_watch_applies_on_save_and_leaves_the_plane_alone_on_errors(site):
    site.write(interval="1h", lab=False)
    run = site.up("--watch").ready()
    before = pids(site)
    good = site.file.read_text()
    site.file.write_text(good.replace("role: local", "role: lokal"))
    run.wait_line("has errors: what runs stays as it is")
    run.wait_line("lokal")
    mark = len(run.lines)
    site.file.write_text(good.replace("heartbeat: 1s", "heartbeat: 2s"))
    run.wait_line("applied: 4 live", after=mark)
    assert pids(site) == before
    mark = len(run.lines)
    site.file.rename(site.folder / "old.yaml")  # as editors do
    site.file.write_text(good)
    run.wait_line("applied: 4 live", after=mark)
    mark = len(run.lines)
    site.file.unlink()
    run.wait_line("is gone: what runs stays as it is", after=mark)
    assert pids(site) == before


@pytest.mark.parametrize("text", ["5", "soon"])
def test_invalid_wait_is_a_usage_error(site, text):
    site.write()
    done = site.ask("up", str(site.file), "--wait", text)
    assert done.returncode == 2
    assert done.stderr.startswith("error:")


def test_another_regional_of_a_region_gets_its_inventory(site):
    site.write(devices=6, snmp=6, fallbacks="[mqtt, http]")
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site)
    edit(site, ("  rc1:", "  rc9:"), ("scan_interval: 1s", "scan_interval: 2s"))
    done = apply(site)
    assert "1 add, 1 remove, 1 live, 2 restart" in done
    assert pids(site)["g1"] == before["g1"]
    until(lambda: len(site.devices("--of", "rc9")) == 6, "its inventory")
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    until(lambda: site.ask("audit", str(site.file)).returncode == 0, "an account of all")


def test_another_regional_gets_its_inventory_from_locals_that_go_on(site):
    site.write(devices=6, snmp=6, interval="1h")
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    before = pids(site)
    edit(site, ("  rc1:", "  rc9:"))
    done = apply(site)
    assert "1 add, 1 remove, 3 live" in done
    until(lambda: len(site.devices("--of", "rc9")) == 6, "its inventory")
    assert {name: pids(site)[name] for name in ("g1", "lc1", "lc2")} == {
        name: before[name] for name in ("g1", "lc1", "lc2")
    }
    assert site.ask("audit", str(site.file)).returncode == 0


def test_another_global_gets_the_whole_inventory(site):
    site.write(devices=6, snmp=6, interval="1h")
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    edit(site, ("  g1:", "  g9:"))
    done = apply(site)
    assert "1 add, 1 remove, 3 live" in done
    until(lambda: len(site.devices()) == 6, "its inventory")
    done = site.ask("audit", str(site.file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.ask("status", str(site.file)).returncode == 0


def test_a_region_with_another_name_is_a_move_of_all_of_it(site):
    site.write(devices=6, snmp=6)
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    edit(site, ("  r1:", "  r9:"), ("region: r1", "region: r9"))
    done = apply(site)
    assert "1 live, 3 move" in done
    until(
        lambda: [d["region"] for d in site.devices()] == ["r9"] * 6, "the inventory of the region"
    )
    audit = site.ask("audit", str(site.file))
    assert audit.returncode == 0, audit.stdout
    assert site.ask("status", str(site.file)).returncode == 0


def test_an_apply_goes_on_without_its_command_and_another_waits_its_turn(site):
    site.write(interval="1h", lab=False)
    first = site.up().ready()
    before = pids(site)
    edit(site, ("timeout: 500ms", "timeout: 600ms"))
    broker = first.broker()
    os.kill(broker, signal.SIGSTOP)  # what starts again is not ready before it goes on
    try:
        command = site.up()
        command.wait_line("restarting")
        refused = apply(site, code=1)
        assert "another change is being applied: try again when it is done" in refused
        command.interrupt()
        assert command.end() == 130
    finally:
        os.kill(broker, signal.SIGCONT)
    until(lambda: "nothing to change" in site.ask("plan", str(site.file)).stdout, "its end")
    assert {name for name, pid in pids(site).items() if pid != before[name]} == {"lc1", "lc2"}
    until(lambda: site.ask("status", str(site.file)).returncode == 0, "health")
    first.interrupt()
    assert first.end() == 0, first.lines
    assert first.members() == []


@pytest.mark.long
def test_a_controller_that_does_not_answer_is_restarted_by_the_next_up(site):
    site.write(interval="1h", lab=False)
    site.up().ready()
    before = pids(site)
    os.kill(before["lc1"], signal.SIGSTOP)
    edit(site, ("heartbeat: 1s", "heartbeat: 2s"))
    done = apply(site, code=1)
    assert "lc1 does not answer: is it stuck?" in done
    assert "what ran before does not run again" in done
    again = apply(site)  # it is killed, as it does not stop
    assert "4 restart" in again
    assert site.row("lc1")["pid"] != before["lc1"]
    assert "nothing to change" in apply(site)

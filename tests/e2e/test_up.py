"""``pdsno up`` as a user runs it: the embedded broker, real processes, real packets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp.agents import SYS_NAME
from tests.discovery.conftest import responder
from tests.discovery.snmp.test_probe import is_walk, respond, rows

from .conftest import PDSNO, until


def test_up_zone_a_finds_53_devices_of_which_25_speak_snmp(zone_a, site):
    run = site.pdsno("up", str(zone_a), "--state-dir", str(site.state), "--cycles", "1")
    assert run.end(60) == 0, run.lines
    assert "53 devices at the top, 25 of them speak SNMP" in run.out
    assert re.search(r"local_cntl_zone-a_001\s+icmp\s+30\s+30", run.out)
    assert re.search(r"local_cntl_zone-a_002\s+icmp\s+23\s+23", run.out)
    assert re.search(r"reports: 2 published, 2 committed .* 0 messages refused", run.out)


def test_up_cycles_ends_by_itself_once_they_are_committed_at_the_top(site):
    site.write(devices=6, snmp=3)
    run = site.up("--cycles", "2")
    assert run.end() == 0, run.lines
    assert "6 devices at the top, 3 of them speak SNMP" in run.out
    devices = site.devices()
    assert [d["addresses"][0] for d in devices] == [f"{site.net}.{n}" for n in range(1, 7)]
    assert sum("snmp" in d["protocols"] for d in devices) == 3
    assert {d["local_id"] for d in devices} == {"lc1", "lc2"}
    assert all(d["region"] == "r1" for d in devices)


def test_up_counts_a_device_that_answers_on_two_addresses_once(site):
    def answer(data):
        if is_walk(data):
            return rows(data, lambda _: b"\2\0\0\0\0\1")
        return respond(data, [(SYS_NAME, v2c.OctetString(b"two-armed"))])

    site.write(lab=False)
    addresses = [f"{site.net}.{n}" for n in (1, 2)]
    with (
        responder(addresses[0], answer, site.snmp_port),
        responder(addresses[1], answer, site.snmp_port),
    ):
        run = site.up("--cycles", "1")
        assert run.end() == 0, run.lines
    assert "5 devices at the top, 1 of them speak SNMP" in run.out
    assert re.search(r"snmp +3 +2 ", run.out)  # answers, of which there are two
    assert next(d["addresses"] for d in site.devices() if d["sys_name"]) == addresses


def test_up_every_controller_is_a_process_of_its_own(site):
    site.write()
    run = site.up().ready()
    pids = {row["pid"] for row in site.status()["controllers"]}
    assert len(pids) == 4
    assert pids < set(run.members())


def test_up_again_remembers_the_devices_and_finds_none_new(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    again = site.up("--cycles", "1")
    assert again.end() == 0, again.lines
    assert re.search(r"lc1\s+icmp\s+3\s+3\s+\S+ s\s+\d+\s+0\s+3", again.out), again.out


def test_ctrl_c_stops_children_before_parents_and_leaves_nothing(site):
    site.write()
    run = site.up().ready()
    run.interrupt()
    assert run.end() == 0, run.lines
    stopped = [line.split(":")[0] for line in run.lines if line.endswith(": stopped")]
    assert stopped[2:] == ["rc1", "g1"], run.lines
    assert set(stopped[:2]) == {"lc1", "lc2"}
    assert run.members() == []
    left = {path.name for path in site.state.iterdir()}
    assert left == {"stores", "logs", "http", "key", "lock", "run.json"}


def test_ctrl_c_a_second_time_ends_at_once(site):
    site.write()
    run = site.up().ready()
    for row in site.status()["controllers"]:
        os.kill(row["pid"], signal.SIGSTOP)  # it cannot handle SIGTERM
    run.interrupt()
    run.wait_line("Ctrl-C again")
    run.interrupt()
    assert run.end(5) == 130
    until(lambda: not run.members(), "the end of every process", 5)
    assert not (site.state / "control.sock").exists()


def test_up_killed_takes_every_process_with_it(site):
    site.write()
    run = site.up().ready()
    run.process.kill()
    run.end()
    until(lambda: not run.members(), "the end of every process", 10)
    # And what it leaves behind does not keep it from being started again.
    assert site.up("--cycles", "1").end() == 0


def test_killed_local_is_started_again_and_goes_on_reporting(site):
    site.write()
    run = site.up().ready()
    old = site.row("lc1")
    os.kill(old["pid"], signal.SIGKILL)
    run.wait_line(r"lc1 was killed by signal 9; starting it again")

    def reborn():
        row = site.row("lc1")
        return row["state"] == "ready" and row["epoch"] > old["epoch"] and row["committed"] and row

    row = until(reborn, "a committed report of the new process")
    assert row["restarts"] == 1
    until(lambda: len(site.devices()) == 6, "a full view at the top")


def test_sigusr1_logs_the_stacks_and_the_controller_goes_on(site):
    site.write()
    site.up().ready()
    before = site.row("lc1")
    os.kill(before["pid"], signal.SIGUSR1)
    log = site.state / "logs" / "lc1.log"
    until(
        lambda: re.search(r'File ".*mailbox.py", line \d+ in run', log.read_text()), "its threads"
    )
    said = before["committed"] or 0
    until(lambda: (site.row("lc1")["committed"] or 0) > said, "another report")
    assert site.row("lc1")["pid"] == before["pid"]


def test_killed_fork_server_is_replaced_with_its_children(site):
    site.write()
    run = site.up().ready()
    before = {row["id"]: row["pid"] for row in site.status()["controllers"]}
    parent = int(Path(f"/proc/{before['lc1']}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    run.wait_line("the fork server is gone")

    def all_back():
        rows = site.status()["controllers"]
        return all(r["state"] == "ready" and r["pid"] not in before.values() for r in rows)

    until(all_back, "every controller being ready again")


def test_killed_broker_is_started_again_and_reports_go_on(site):
    site.write()
    run = site.up().ready()
    until(lambda: (site.row("lc1")["committed_at_top"] or 0) >= 1, "a first committed cycle")
    os.kill(run.broker(), signal.SIGKILL)
    run.wait_line("restarting the broker")
    done = len(run.lines)

    def later():
        rows = [site.row(name) for name in ("lc1", "lc2")]
        return all(r["state"] == "ready" and r["committed_at_top"] >= r["cycle"] - 1 for r in rows)

    cycle = site.row("lc1")["cycle"]
    until(lambda: later() and site.row("lc1")["committed_at_top"] > cycle + 1, "later cycles")
    assert not [line for line in run.lines[done:] if "Traceback" in line]
    run.interrupt()
    assert run.end() == 0


def test_lab_rename_shows_in_the_next_report_and_nothing_else_does(site):
    site.write()
    run = site.up().ready()
    run.wait_line(r"lc1: cycle 2 .* 0 new, 0 updated, 0 inactive")
    speaker = next(d for d in site.devices() if d["sys_name"] and d["local_id"] == "lc1")
    seen = len(run.lines)
    done = site.ask("lab", "rename", str(site.file), speaker["addresses"][0], "renamed-1")
    assert done.returncode == 0, done.stderr
    run.wait_line(r"lc1: cycle \d+ complete .* 0 new, 1 updated, 0 inactive", after=seen)
    until(lambda: "renamed-1" in {d["sys_name"] for d in site.devices()}, "the new name at the top")


def test_detached_run_answers_and_is_ended_by_down(site):
    site.write()
    up = site.up("-d")
    assert up.end() == 0, up.lines
    members = {row["pid"] for row in site.status()["controllers"]}
    assert site.status()["ready"]
    down = site.ask("down", str(site.file))
    assert down.returncode == 0, down.stderr
    assert not [pid for pid in members if Path(f"/proc/{pid}").exists()]
    assert site.ask("status", str(site.file)).returncode == 2


def test_controller_run_takes_the_place_of_one_that_up_does_not_run(site):
    site.write()
    site.up().ready()
    text = site.file.read_text().replace(
        "  lc2:",
        f'  lc3: {{role: local, region: r1, discovery: {{targets: ["{site.net}.200"]}}}}\n  lc2:',
    )
    site.file.write_text(text)
    alone = site.pdsno("controller", "run", str(site.file), "lc3", "--state-dir", str(site.state))
    until(
        lambda: f"{site.net}.200" in {d["addresses"][0] for d in site.devices()},
        "the report of a local that its region did not know",
    )
    alone.process.terminate()
    assert alone.end() == 0, alone.lines


def test_controller_run_of_one_that_runs_already_is_refused(site):
    site.write()
    site.up().ready()
    again = site.ask("controller", "run", str(site.file), "lc1")
    assert again.returncode == 1
    assert re.fullmatch(r"error: already running \(process \d+, .*\n", again.stderr), again.stderr


def test_controller_run_with_stderr_closed_ends_as_it_would_with_it(site):
    site.write()
    command = [PDSNO, "controller", "run", str(site.file), "lc1", "--state-dir", str(site.state)]
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], timeout=60, check=False)
    assert done.returncode == site.ask(*command[1:5]).returncode == 1


def test_in_process_runs_the_same_controllers_over_the_bus(site):
    site.write()
    run = site.up("--in-process", "--cycles", "2")
    assert run.end() == 0, run.lines
    assert "6 devices at the top, 3 of them speak SNMP" in run.out
    assert any("over bus" in line for line in run.lines)
    assert run.members() == []


def test_in_process_is_one_process_without_a_broker(site):
    site.write()
    run = site.up("--in-process").ready()
    assert run.members() == [run.process.pid]
    run.interrupt()
    assert run.end() == 0, run.lines


@pytest.mark.parametrize("arguments", [(), ("--in-process",)])
def test_up_while_it_is_up_is_one_line(site, arguments):
    site.write()
    site.up(*arguments).ready()
    again = site.ask("up", str(site.file))
    assert (again.returncode, again.stderr) == (0, f"{site.root}: nothing to change\n")
    cycles = site.ask("up", str(site.file), "--cycles", "1")
    assert cycles.returncode == 2
    assert "is up already, and --cycles is for a run of its own" in cycles.stderr
    assert cycles.stderr.count("\n") == 1


def test_up_with_its_port_in_use_is_one_line(site, free_port):
    import socket

    site.write(broker=f"{{embedded: true, port: {free_port}}}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        run = site.up()
        assert run.end() == 1
    assert [line for line in run.lines if str(free_port) in line and "in use" in line], run.lines
    assert run.lines[-2].startswith("error:")
    assert run.members() == []


def test_up_with_its_broker_out_of_reach_is_one_line(site, free_port):
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {free_port}}}")
    run = site.up()
    assert run.end() == 1
    assert len(run.lines) == 2, run.lines
    assert re.match(rf"error: .*127\.0\.0\.1:{free_port}", run.lines[0])
    assert run.members() == []


def test_up_with_a_state_directory_that_is_a_file_is_one_line(site):
    site.write()
    site.state.write_text("in the way")
    run = site.up()
    assert run.end() == 1
    assert re.match(r"error: the state directory .* cannot be used", run.lines[0])
    assert len(run.lines) == 2


def test_up_with_a_state_directory_that_cannot_be_made_is_one_line(site):
    site.write()
    run = site.pdsno("up", str(site.file), "--state-dir", "/proc/pdsno-state")  # not even by root
    assert run.end() == 1
    assert re.match(r"error: the state directory /proc/pdsno-state cannot be used", run.lines[0])
    assert len(run.lines) == 2


def test_up_of_a_topology_with_errors_starts_nothing(site):
    site.write(extra="x-note: fine\nregionz: {}")
    run = site.up()
    assert run.end() == 1
    assert any("regionz" in line and "PDS" in line for line in run.lines)
    assert not site.state.exists()


def test_up_of_a_missing_file_is_a_usage_error(site):
    run = site.up()
    assert run.end() == 2
    assert len([line for line in run.lines if line.startswith("error:")]) == 1


def test_lab_whose_port_is_taken_is_one_line_and_leaves_nothing(site):
    import socket

    site.write(devices=6, snmp=6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((f"{site.net}.2", site.snmp_port))
        run = site.up()
        assert run.end() == 1
    assert any(f"{site.net}.2 port {site.snmp_port} is in use" in line for line in run.lines)
    assert run.members() == []

"""Faults of the machine: a full disk, a port taken, a store damaged, a message too large."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess

import pytest

from tests.conftest import require_root

from .conftest import until
from .test_mosquitto import body
from .test_mosquitto import ear as ear  # noqa: PLC0414 - a fixture shared by name
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414


def test_report_over_the_payload_limit_goes_in_parts_and_arrives_whole(site):
    site.file.write_text(f"""\
name: {site.root}
broker: {{max_payload: 20000}}
topics: {{root: {site.root}}}
defaults: {{discovery: {{interval: 1s, protocols: [icmp]}}}}
regions: {{r1: {{}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  lc1: {{role: local, region: r1, discovery: {{targets: ["{site.net}.1-{site.net}.250"]}}}}
""")
    run = site.up("--cycles", "1")
    assert run.end() == 0, run.lines
    assert "250 devices at the top" in run.out
    assert len(site.devices()) == 250
    assert "not published" not in (site.state / "logs" / "lc1.log").read_text()


def test_policy_over_the_payload_limit_is_given_up_and_stops_nothing_else(site):
    targets = ", ".join(f"{site.net}.{number}" for number in range(1, 251))
    site.file.write_text(f"""\
name: {site.root}
broker: {{max_payload: 4000}}
topics: {{root: {site.root}}}
defaults: {{discovery: {{interval: 1s, protocols: [icmp]}}}}
regions: {{r1: {{}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  lc1: {{role: local, region: r1, discovery: {{targets: [{targets}]}}}}
""")
    run = site.up("--cycles", "1")
    assert run.end() == 0, run.lines
    assert "250 devices at the top" in run.out
    assert "not published" in (site.state / "logs" / "rc1.log").read_text()


@pytest.fixture
def small_disk(tmp_path):
    require_root()
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "pdsno-test", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_is_waited_out_and_discovery_goes_on(small_disk, site):
    site.write()
    site.state = small_disk / "state"
    run = site.up().ready()
    run.wait_line("lc1: cycle 2 complete")
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
    run.wait_line(r"is full|exit code 75")
    seen = len(run.lines)
    ballast.unlink()
    run.wait_line(r"lc1: cycle \d+ complete", after=seen)
    run.wait_line(r"lc2: cycle \d+ complete", after=seen)
    until(
        lambda: all(row["state"] == "ready" for row in site.status()["controllers"]),
        "every controller being ready again",
    )
    cycle = site.row("lc1")["committed_at_top"]
    until(lambda: site.row("lc1")["committed_at_top"] != cycle, "a later cycle at the top")
    assert not any("given up" in line for line in run.lines)
    run.interrupt()
    assert run.end() == 0, run.lines


def test_broker_whose_port_is_taken_meanwhile_comes_back_when_it_is_free(site):
    site.write()
    run = site.up().ready()
    port = site.status()["broker_port"]
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        os.kill(run.broker(), signal.SIGKILL)

        def taken():
            try:
                thief.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

        until(taken, "the port being free for a moment")
        thief.listen()
        run.wait_line(f"port {port} is in use")
    until(
        lambda: all(row["state"] == "ready" for row in site.status()["controllers"]),
        "every controller being ready again",
        60,
    )
    run.interrupt()
    assert run.end() == 0, run.lines


def test_controller_given_up_ends_a_run_that_waits_for_its_cycles(site):
    site.write()
    run = site.up("--cycles", "1000").ready()
    run.wait_line("lc1: cycle 1 ")
    pid = site.row("lc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    for path in (site.state / "stores").glob("lc1.db*"):
        path.write_bytes(b"no store " * 1000)
    os.kill(pid, signal.SIGKILL)
    assert run.end() == 1, run.lines
    assert any(line.startswith("error: lc1: ") and "lc1.db" in line for line in run.lines)
    assert run.members() == []


def test_controller_given_up_later_is_named_at_the_end(site):
    site.write()
    run = site.up().ready()
    run.wait_line("lc1: cycle 1 ")
    pid = site.row("lc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    for path in (site.state / "stores").glob("lc1.db*"):
        path.write_bytes(b"no store " * 1000)
    os.kill(pid, signal.SIGKILL)
    run.wait_line("lc1: .*given up")
    seen = len(run.lines)
    run.wait_line("lc2: cycle", after=seen)
    run.interrupt()
    assert run.end() == 1
    assert any(re.match(r"error: lc1: ", line) for line in run.lines)


def test_death_while_its_region_was_away_is_announced_when_it_is_back(site, mosquitto, ear):
    site.write(
        broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}", lab=False, snmp=0
    )

    def alone(name):
        return site.pdsno("controller", "run", str(site.file), name, "--state-dir", str(site.state))

    heard = ear(mosquitto.port, f"{site.root}/#")
    runs = {name: alone(name) for name in ("g1", "rc1", "lc1")}
    # rc1's own: the global controller acknowledges events of lc1, too, perhaps before rc1 is up.
    heard.first(lambda m, b: m["topic"] == f"{site.root}/ack/lc1" and b["sender_id"] == "rc1")
    for name in ("rc1", "lc1"):
        runs[name].process.kill()
        runs[name].end()
    heard.first(
        lambda m, b: m["topic"] == f"{site.root}/status/lc1" and b["payload"]["state"] == "death"
    )
    alone("rc1")
    down = heard.first(
        lambda _, b: (
            b["payload"].get("event") == "controller_down" and b["payload"]["subject"] == "lc1"
        )
    )
    assert body(down)["sender_id"] == "rc1"


def test_key_that_others_can_read_is_refused(site):
    site.write()
    assert site.up("--cycles", "1").end() == 0
    (site.state / "key").chmod(0o644)
    run = site.up()
    assert run.end() == 1
    assert "can be read by others" in run.lines[0]
    assert len(run.lines) == 2


def test_signal_to_the_whole_group_is_an_expected_stop(site):
    site.write()
    run = site.up().ready()
    os.killpg(run.process.pid, signal.SIGTERM)
    assert run.end() == 0, run.lines
    assert not any("starting it again" in line for line in run.lines), run.lines
    assert run.members() == []

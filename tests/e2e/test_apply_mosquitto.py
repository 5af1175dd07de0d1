"""An apply on a broker of its own, seen from outside by ``mosquitto_sub``."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.conftest import require

from .conftest import until
from .test_apply import TWO_REGIONS, apply, edit, pids, without
from .test_mosquitto import body, ear, mosquitto

__all__ = ["ear", "mosquitto"]


def retained(port: int, root: str) -> dict[str, str]:
    """Return what the broker retains below a root."""
    done = subprocess.run(
        [require("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-t", f"{root}/#",
         "--retained-only", "-W", "1", "-F", "%t %p"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return {topic.removeprefix(f"{root}/"): data for topic, data in lines}


def start(site, port: int, *pairs) -> dict[str, int]:
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {port}}}", devices=6, snmp=6)
    edit(site, *pairs)
    site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    return pids(site)


def test_what_is_removed_leaves_nothing_retained(site, mosquitto):
    start(site, mosquitto.port, *TWO_REGIONS)
    topics = {"policy/global", "policy/r1", "status/g1", "status/rc1", "status/lc1"}
    gone = {"policy/r2", "status/rc2", "status/lc2"}
    assert retained(mosquitto.port, site.root).keys() == topics | gone
    without(site, "r2: {}", "rc2:", "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    apply(site)
    assert retained(mosquitto.port, site.root).keys() == topics


def test_a_killed_local_that_is_removed_leaves_no_will(site, mosquitto):
    before = start(site, mosquitto.port)
    without(site, "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    os.kill(before["lc2"], signal.SIGKILL)
    apply(site)
    left = {"policy/global", "policy/r1", "status/g1", "status/rc1", "status/lc1"}
    until(lambda: retained(mosquitto.port, site.root).keys() == left, "the end of its status")
    assert site.ask("status", str(site.file)).returncode == 0


def test_nobody_connects_again_for_a_live_change_or_an_addition(site, mosquitto, ear):
    before = start(site, mosquitto.port)
    outside = ear(mosquitto.port, f"{site.root}/status/+", extra=("-R",))
    count = len(outside.heard)
    edit(site, ("scan_interval: 1s", "scan_interval: 2s"), ("heartbeat: 1s", "heartbeat: 500ms"))
    apply(site)
    edit(site, ("topics: {", "topics: {status: {qos: 1}, "))
    apply(site)
    half = f'  lc3: {{role: local, region: r1, discovery: {{targets: ["{site.net}.90"]}}}}\n'
    site.file.write_text(site.file.read_text().replace("  lc1:", half + "  lc1:"))
    apply(site)
    outside.first(lambda m, b: m["topic"].endswith("/lc3") and b["payload"]["state"] == "heartbeat")
    seen = [m for m in outside.heard[count:] if m["data"]]
    others = [body(m)["payload"]["state"] for m in seen if not m["topic"].endswith("/lc3")]
    assert set(others) == {"heartbeat"}
    assert {body(m)["payload"]["heartbeat"] for m in seen} >= {0.5}
    assert any(m["qos"] == 1 for m in seen)
    assert {name: pid for name, pid in pids(site).items() if name != "lc3"} == before


def test_another_root_leaves_nothing_under_the_old_one(site, mosquitto):
    start(site, mosquitto.port)
    edit(site, (f"topics: {{root: {site.root}}}", f"topics: {{root: {site.root}-b}}"))
    done = apply(site)
    assert "4 replace" in done
    assert retained(mosquitto.port, site.root) == {}
    assert len(retained(mosquitto.port, f"{site.root}-b")) == 6
    assert site.ask("audit", str(site.file)).returncode == 0


def test_what_a_killed_supervisor_began_to_remove_is_removed_by_the_next_run(site, mosquitto):
    site.write(
        broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}", devices=6, snmp=6
    )
    first = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view at the top")
    without(site, "lc2:")
    edit(site, ("devices: 6, snmp: 6", "devices: 3, snmp: 3"))
    again = site.up()
    first.wait_line("stopping lc2")
    first.process.kill()
    assert again.end() == 1
    first.end()
    until(lambda: not first.members(), "the end of every process")
    site.up().ready()
    until(lambda: len(site.devices("--all")) == 3, "the end of its devices")
    left = {"policy/global", "policy/r1", "status/g1", "status/rc1", "status/lc1"}
    until(lambda: retained(mosquitto.port, site.root).keys() == left, "the end of its status")
    assert not [*site.state.rglob("lc2*")]

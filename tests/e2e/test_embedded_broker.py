"""The embedded broker of a run: it serves both versions of MQTT, and one that hangs is restarted."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.conftest import require
from tests.e2e.conftest import until


@pytest.mark.long
def test_a_broker_that_hangs_is_started_again(site):
    site.write(broker="{embedded: true, keepalive: 1s}", lab=False, interval="1h")
    run = site.up().ready()
    broker = run.broker()
    os.kill(broker, signal.SIGSTOP)
    until(lambda: not site.status()["broker_state"]["up"], "the loss")
    assert site.ask("status", str(site.file)).returncode == 1
    assert "away for" in site.ask("status", str(site.file)).stdout.splitlines()[0]
    run.wait_line("killing the broker, which accepts no client", wait=60)
    until(lambda: site.status()["well"], "recovery", 60)
    assert run.broker() != broker
    assert ", up for " in site.ask("status", str(site.file)).stdout.splitlines()[0]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_tools_of_both_versions_see_the_run_on_the_ports_that_are_printed(site, protocol):
    site.write(broker=f'{{embedded: true, protocol: "{protocol}"}}', lab=False, interval="1h")
    run = site.up()
    other = "5" if protocol == "3.1.1" else "3.1.1"
    found = run.wait_line(rf"embedded broker on 127\.0\.0\.1:(\d+) \(v{other}: (\d+)\)")
    run.ready()
    ports = {protocol: int(found[1]), other: int(found[2])}
    status = site.status()
    assert status["broker_port"] == ports[protocol]
    assert (status["broker_port_v311"], status["broker_port_v5"]) == (ports["3.1.1"], ports["5"])
    assert (
        f"127.0.0.1:{found[1]} (v{other}: {found[2]})" in site.ask("status", str(site.file)).stdout
    )
    for version, port in ports.items():
        done = subprocess.run(
            [require("mosquitto_sub"), "-V", "mqttv" + version.replace(".", ""), "-p", str(port),
             "-t", f"{site.root}/policy/+", "-C", "2", "-W", "20", "-F", "%r %t"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert sorted(done.stdout.split("\n")[:2]) == [
            f"1 {site.root}/policy/global",
            f"1 {site.root}/policy/r1",
        ]

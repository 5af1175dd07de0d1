"""What up refuses to start on a declared broker: another run's ids, and levels that do not arrive."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.conftest import require
from tests.e2e.conftest import Site, until
from tests.e2e.test_mosquitto import mosquitto, shout

__all__ = ["mosquitto"]  # a fixture


def second(site, tmp_path, runs) -> Site:
    """Another topology with the same ids and root, and a state directory and key of its own."""
    folder = tmp_path / "second"
    folder.mkdir()
    other = Site(folder, runs)
    text = site.file.read_text().replace(f"name: {site.root}", "name: second")
    other.file.write_text(text.replace(site.net, other.net))
    return other


def test_second_run_of_the_same_ids_is_refused_and_names_the_first(site, mosquitto, tmp_path, runs):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", lab=False, interval="1h")
    first = site.up().ready()
    other = second(site, tmp_path, runs).up()
    assert other.end() == 1
    (line,) = [line for line in other.lines if line.startswith("error:")]
    assert f"another run uses topic root '{site.root}'" in line
    assert f"topology {site.root}" in line
    assert any(f"process {pid}," in line for pid in first.members())
    assert site.status()["well"]


def test_a_run_starts_again_after_a_crash_of_its_own(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", lab=False, interval="1h")
    first = site.up().ready()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: not first.members(), "the end of all")
    site.up().ready()


def test_a_retained_status_without_heartbeats_only_delays_the_start(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", lab=False, interval="1h")
    birth = {"payload": {"state": "birth", "holder": "noc-9, process 7", "heartbeat": 1}}
    shout(mosquitto.port, f"{site.root}/status/lc1", json.dumps(birth).encode(), "-r")
    shout(mosquitto.port, f"{site.root}/status/lc2", b"\xff nonsense", "-r")
    run = site.up()
    run.wait_line(r"the broker retains a live status of lc1 \(noc-9, process 7\)")
    run.ready()


@pytest.fixture
def nats(tmp_path, free_port):
    config = tmp_path / "nats.conf"
    config.write_text(
        f'server_name: one\nlisten: "127.0.0.1:-1"\njetstream {{store_dir: "{tmp_path / "js"}"}}\n'
        f'mqtt {{listen: "127.0.0.1:{free_port}"}}\n'
    )
    log = (tmp_path / "nats.log").open("wb")
    process = subprocess.Popen([require("nats-server"), "-c", config], stdout=log, stderr=log)
    until(lambda: b"Server is ready" in (tmp_path / "nats.log").read_bytes(), "the start of NATS")
    yield free_port
    process.kill()
    process.wait()
    log.close()


def test_nats_is_refused_where_an_id_has_a_dot(site, nats):
    site.write(broker=f"{{host: 127.0.0.1, port: {nats}}}", lab=False)
    text = site.file.read_text().replace("lc2:", "local.2:")
    site.file.write_text(text)
    run = site.up()
    assert run.end() == 1
    (line,) = [line for line in run.lines if line.startswith("error:")]
    assert "does not keep 'local.2' as one level of a topic" in line


def test_nats_is_accepted_without_dots_in_ids(site, nats):
    site.write(broker=f"{{host: 127.0.0.1, port: {nats}}}", interval="1s")
    site.up().ready()
    until(lambda: (site.row("lc1")["committed_at_top"] or 0) >= 1, "a committed cycle")


def test_a_broker_that_keeps_dots_is_accepted_with_them(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", lab=False, interval="1h")
    site.file.write_text(site.file.read_text().replace("lc2:", "local.2:"))
    site.up().ready()

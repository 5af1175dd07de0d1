"""The fallback chain in whole processes: the broker goes away, the control plane goes on."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import httpx
import pytest

from .conftest import until
from .test_mosquitto import Mosquitto
from .test_mosquitto import ear as ear  # noqa: PLC0414 - a fixture shared by name

BOTH = "[mqtt, http]"


@pytest.fixture
def broker(tmp_path, free_port):
    """A Mosquitto that can be killed and started again on its port, with nothing kept."""
    brokers = []

    class Broker:
        port = free_port
        declared = f"{{host: 127.0.0.1, port: {free_port}}}"

        def start(self) -> None:
            brokers.append(Mosquitto(tmp_path, free_port, "allow_anonymous true"))
            until(brokers[-1].answers, "Mosquitto's start")

        def kill(self) -> None:
            brokers[-1].process.kill()
            brokers[-1].process.wait()

    yield Broker()
    for item in brokers:
        item.end()


@pytest.fixture
def live(site, broker):
    """A topology that falls back to HTTP, at work on Mosquitto."""
    broker.start()
    site.write(broker=broker.declared, fallbacks=BOTH, heartbeat="2s")
    site.run = site.up().ready()
    until(lambda: site.row("lc2")["committed_at_top"], "the first cycle at the top")
    return site


def all_on(site, transport: str, seconds: float) -> None:
    """Wait until every controller is ready on ``transport``, for ``seconds`` at most."""

    def reached() -> bool:
        rows = site.status()["controllers"]
        return all((row["state"], row["transport"]) == ("ready", transport) for row in rows)

    until(reached, f"{transport} everywhere", seconds)


def more_cycles_at_the_top(site, count: int) -> None:
    before = {name: site.row(name)["committed_at_top"] for name in ("lc1", "lc2")}
    until(
        lambda: all(site.row(n)["committed_at_top"] >= c + count for n, c in before.items()),
        f"{count} more cycles at the top",
    )


def rows(site, controller_id: str, query: str) -> list[tuple]:
    """Read a controller's store as it is now."""
    path = site.state / "stores" / f"{controller_id}.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


def downs(site) -> list[tuple]:
    return rows(
        site, "g1", "SELECT sender, subject, detail FROM events WHERE event LIKE 'controller_%'"
    )


@pytest.mark.long
def test_broker_killed_and_back_costs_nothing_but_the_way(live, broker):
    broker.kill()
    all_on(live, "http", 10)  # two, on a machine with nothing else to do
    more_cycles_at_the_top(live, 3)
    # What changes meanwhile is learnt at the top.
    gone = f"{live.net}.1"
    assert live.ask("lab", "remove", str(live.file), gone).returncode == 0
    until(lambda: gone not in active(live), "the silent device's absence at the top")
    broker.start()
    all_on(live, "mqtt", 60)
    more_cycles_at_the_top(live, 2)
    assert downs(live) == []
    until(lambda: all(not row["waiting"] for row in live.status()["controllers"]), "all acks")
    for name in ("lc1", "lc2"):
        carried = live.row(name)["carried"]
        assert carried["mqtt"] > 0
        assert carried["http"] > 0
    assert not any(row["refused"] for row in live.status()["controllers"])
    assert inventory(live, "g1") == inventory(live, "rc1")
    assert len(inventory(live, "g1")) == 6


def active(site) -> set[str]:
    return {address for item in site.devices() for address in item["addresses"]}


def inventory(site, controller_id: str) -> list[tuple]:
    return rows(
        site,
        controller_id,
        "SELECT local_id, device_id, addresses, active FROM devices ORDER BY device_id",
    )


def test_start_without_a_broker_is_over_http_policy_included(site, broker):
    site.write(broker=broker.declared, fallbacks=BOTH)
    run = site.up().ready()
    run.wait_line("no broker listens there; going on over http")
    all_on(site, "http", 10)
    more_cycles_at_the_top(site, 1)
    applied = (
        "SELECT subject, detail FROM events"
        " WHERE event = 'policy_applied' AND subject IN ('lc1', 'lc2')"
    )
    until(lambda: len(rows(site, "g1", applied)) == 4, "both policies at both locals")
    run.interrupt()
    assert run.end() == 0

    site.write(broker=broker.declared, fallbacks=BOTH, interval="800ms")
    run = site.up().ready()
    until(lambda: len(rows(site, "g1", applied)) == 6, "the changed policy at both locals")
    for name in ("lc1", "lc2"):
        (stored,) = rows(site, name, "SELECT document FROM policies WHERE scope = 'r1'")
        assert '"scan_interval":0.8' in stored[0]
    run.interrupt()
    assert run.end() == 0
    assert list((site.state / "http").iterdir()) == []


def test_local_killed_while_http_carries_is_announced_once_it_was_heard(live, broker):
    broker.kill()
    all_on(live, "http", 10)
    more_cycles_at_the_top(live, 1)
    os.kill(live.row("lc1")["pid"], signal.SIGSTOP)
    stopped = live.row("lc1")["pid"]
    try:
        until(lambda: downs(live), "controller_down")
    finally:
        os.kill(stopped, signal.SIGCONT)
    (down,) = downs(live)[:1]
    assert down[:2] == ("rc1", "lc1")
    assert '"silence"' in down[2]


def test_regional_killed_while_http_carries_is_found_again_at_its_new_port(live, broker):
    broker.kill()
    all_on(live, "http", 10)
    before = (live.state / "http" / "rc1").read_text()
    pid = live.row("rc1")["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: live.row("rc1")["pid"] not in (pid, None), "another process")
    all_on(live, "http", 30)
    more_cycles_at_the_top(live, 2)
    assert (live.state / "http" / "rc1").read_text() != before
    assert inventory(live, "g1") == inventory(live, "rc1")


def test_health_is_served_by_those_with_children(live):
    for name in ("g1", "rc1"):
        address = (live.state / "http" / name).read_text().strip()
        answer = httpx.get(f"http://{address}/healthz", trust_env=False, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["controller"] == name
        assert answer.json()["transport"] == "mqtt"
    assert {path.name for path in (live.state / "http").iterdir()} == {"g1", "rc1"}


def test_chain_of_mqtt_alone_opens_no_http_port(site, broker):
    broker.start()
    site.write(broker=broker.declared, fallbacks="[mqtt]")
    site.up().ready()
    assert list((site.state / "http").iterdir()) == []
    broker.kill()
    until(lambda: site.row("lc1")["state"] == "disconnected", "the loss")
    broker.start()
    all_on(site, "mqtt", 40)


def test_heartbeat_posted_again_by_a_stranger_earns_no_mail(live, broker, ear):
    heard = ear(broker.port, f"{live.root}/status/lc1")
    beat = heard.first(lambda _, b: b["payload"]["state"] == "heartbeat")
    address = (live.state / "http" / "rc1").read_text().strip()
    message = {"topic": beat["topic"], "data": beat["data"].decode()}
    plain: dict = {"messages": [message]}
    for request in (plain, plain | {"sender": "lc1"}, plain | {"seen": "0:1", "sender": "lc1"}):
        for _ in range(3):
            answer = httpx.post(f"http://{address}/v1/messages", json=request, trust_env=False)
            assert answer.status_code == 200
            assert answer.json()["accepted"] == 1
            assert "messages" not in answer.json()

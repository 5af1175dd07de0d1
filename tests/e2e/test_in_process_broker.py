"""up --in-process with a declared broker: MQTT first, the bus while it is away, MQTT again."""

from __future__ import annotations

import json

from tests.e2e.conftest import until
from tests.e2e.test_mosquitto import Mosquitto, ear, mosquitto

__all__ = ["ear", "mosquitto"]  # fixtures


def over(site, transport: str) -> bool:
    return all(row["transport"] == transport for row in site.status()["controllers"])


def test_the_broker_carries_then_the_bus_then_the_broker_again(site, mosquitto, ear, tmp_path):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", fallbacks="[mqtt, http, bus]")
    heard = ear(mosquitto.port, f"{site.root}/#")
    run = site.up("--in-process").ready()
    assert over(site, "mqtt")
    assert f"broker on 127.0.0.1:{mosquitto.port}, then in-process bus" in run.lines[0]
    heard.first(lambda m, _: m["topic"].startswith(f"{site.root}/discovery/r1/lc1"))
    mosquitto.end()
    until(lambda: over(site, "bus"), "the bus")
    assert {row["health"] for row in site.status()["controllers"]} == {"degraded"}
    cycle = site.row("lc1")["committed_at_top"]
    until(lambda: site.row("lc1")["committed_at_top"] > cycle + 1, "commits over the bus")
    again = Mosquitto(tmp_path, mosquitto.port, "allow_anonymous true")
    try:
        until(lambda: over(site, "mqtt"), "the return", 40)
        cycle = site.row("lc1")["committed_at_top"]
        until(lambda: site.row("lc1")["committed_at_top"] > cycle + 1, "commits over MQTT")
        until(lambda: site.status()["well"], "all well")
        run.interrupt()
        assert run.end() == 0
    finally:
        again.end()
    audit = json.loads(site.ask("audit", str(site.file), "--json").stdout)
    assert not any(row["lost"] or row["twice"] for row in audit["streams"])


def test_a_broker_that_is_away_at_the_start_is_replaced_by_the_bus(site, free_port, tmp_path):
    site.write(broker=f"{{host: 127.0.0.1, port: {free_port}}}", fallbacks="[mqtt, bus]")
    run = site.up("--in-process")
    run.wait_line("going on over bus")
    run.ready()
    assert over(site, "bus")
    broker = Mosquitto(tmp_path, free_port, "allow_anonymous true")
    try:
        until(lambda: over(site, "mqtt"), "MQTT", 40)
    finally:
        broker.end()


def test_without_the_bus_in_its_chain_it_needs_the_broker(site, free_port):
    site.write(broker=f"{{host: 127.0.0.1, port: {free_port}}}", fallbacks="[mqtt]")
    run = site.up("--in-process")
    assert run.end() == 1
    assert any("connection refused" in line for line in run.lines)

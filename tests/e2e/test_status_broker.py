"""``pdsno status --broker``: what a broker publishes about itself."""

from __future__ import annotations

import json

from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414 - a fixture shared by name


def test_statistics_of_mosquitto_are_shown(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", interval="1h")
    site.up().ready()
    done = site.ask("status", str(site.file), "--broker")
    head, *rows = done.stdout.splitlines()
    assert head == f"{site.root}: broker on 127.0.0.1:{mosquitto.port}"
    assert any(row.startswith("version ") and "mosquitto version" in row for row in rows)
    found = json.loads(site.ask("status", str(site.file), "--broker", "--json").stdout)
    assert found["format_version"] == 1
    assert "controllers" not in found
    assert found["missing"] is None
    assert int(found["statistics"]["clients connected"]) >= 0
    assert found["statistics"]["uptime"].endswith(" seconds")


def test_broker_without_statistics_says_so(site):
    site.write(interval="1h")
    site.up().ready()
    done = site.ask("status", str(site.file), "--broker")
    assert "no statistics: the embedded broker (rumqttd) publishes none" in done.stdout
    found = json.loads(site.ask("status", str(site.file), "--broker", "--json").stdout)
    assert found["statistics"] is None


def test_broker_that_is_away_is_the_reason(site, mosquitto):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", interval="1h")
    site.up().ready()
    mosquitto.process.kill()
    mosquitto.process.wait()
    done = site.ask("status", str(site.file), "--broker")
    assert "no statistics: " in done.stdout
    assert "refused" in done.stdout

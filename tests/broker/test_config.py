"""The configuration that rumqttd reads."""

from __future__ import annotations

import tomllib

from pdsno_cli.broker.config import Settings, toml


def test_both_protocols_listen_on_loopback_and_take_the_payload_asked_for():
    config = tomllib.loads(toml(Settings(max_payload=1_000_000, port_311=1883, port_5=1884)))
    assert config["v4"]["1"]["listen"] == "127.0.0.1:1883"
    assert config["v5"]["1"]["listen"] == "127.0.0.1:1884"
    for version in ("v4", "v5"):
        assert config[version]["1"]["connections"]["max_payload_size"] >= 1_000_000


def test_a_protocol_without_a_port_is_not_served():
    config = tomllib.loads(toml(Settings(max_payload=1, port_311=1883, port_5=None)))
    assert "v5" not in config

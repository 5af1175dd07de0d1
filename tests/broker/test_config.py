"""The configuration that rumqttd reads."""

from __future__ import annotations

import tomllib

from pdsno_cli.broker.config import Settings, toml


def settings(**wanted) -> Settings:
    usual = {"max_payload": 1, "files": 100, "root": "pdsno", "port_311": 1883, "port_5": 1884}
    return Settings(**(usual | wanted))


def test_both_protocols_listen_on_loopback_and_take_the_payload_asked_for():
    config = tomllib.loads(toml(settings(max_payload=1_000_000)))
    assert config["v4"]["1"]["listen"] == "127.0.0.1:1883"
    assert config["v5"]["1"]["listen"] == "127.0.0.1:1884"
    for version in ("v4", "v5"):
        assert config[version]["1"]["connections"]["max_payload_size"] >= 1_000_000


def test_what_has_a_filter_for_each_controller_is_kept_in_small_segments():
    root = 'a "quoted" root'
    config = tomllib.loads(toml(settings(root=root)))
    small = config["router"]["custom_segment"]
    assert small.keys() == {f"{root}/{name}/+" for name in ("status", "ack", "command")}
    for sizes in small.values():
        assert sizes["max_segment_size"] * sizes["max_segment_count"] <= 131_072


def test_descriptors_run_out_before_the_connections_that_it_may_have():
    config = tomllib.loads(toml(settings(files=100)))
    assert config["router"]["max_connections"] > 100

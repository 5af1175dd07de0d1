"""``pdsno where`` and ``pdsno graph`` about a plane whose lab serves real tables."""

from __future__ import annotations

import json

import pytest

from .conftest import until


@pytest.fixture
def mapped(site):
    """A plane that has read every table of a lab of 24 devices with SNMP."""
    site.write(devices=24, snmp=24, interval="1h", details="{forwarding: true}")
    run = site.up().ready()
    run.wait_line("lc1: cycle 1 ")
    run.wait_line("lc2: cycle 1 ")
    until(lambda: len(site.devices("--of", "rc1")) == 24, "all devices at the regional")
    until(lambda: len(site.devices()) == 24, "all devices at the top")
    yield site
    run.interrupt()
    assert run.end() == 0, run.lines


def test_every_link_of_a_graph_is_where_the_device_is(mapped):
    drawn = mapped.ask("graph", str(mapped.file), "--format", "json")
    assert drawn.returncode == 0, drawn.stderr
    graph = json.loads(drawn.stdout)
    devices = {item["id"]: item for item in graph["devices"]}
    assert len(devices) == 24
    assert all(item["known"] for item in devices.values())
    evidence = {link["evidence"].split(" of ")[0] for link in graph["links"]}
    assert evidence == {"LLDP at both ends", "forwarding table"}
    station = next(link for link in graph["links"] if link["evidence"].startswith("forwarding"))
    device, switch = devices[station["to"]], devices[station["from"]]
    for known in (device["name"], *device["addresses"], *device["macs"]):
        done = mapped.ask("where", known, str(mapped.file), "--json")
        assert done.returncode == 0, done.stderr
        (place,) = json.loads(done.stdout)["places"]
        assert (place["switch"], place["port"]) == (switch["name"], station["from_port"])


def test_where_about_what_is_not_there_is_one_line(mapped):
    done = mapped.ask("where", "sw-nowhere", str(mapped.file))
    assert done.returncode == 2
    assert done.stderr.startswith("error: no device 'sw-nowhere': ")
    unknown = mapped.ask("where", "02:00:00:00:00:99", str(mapped.file))
    assert unknown.returncode == 1
    assert "no port of 02:00:00:00:00:99 is known" in unknown.stderr


def test_a_graph_of_a_region_that_is_not_there_is_one_line(mapped):
    done = mapped.ask("graph", str(mapped.file), "--region", "r2")
    assert (done.returncode, done.stderr) == (2, "error: no region 'r2': one of: r1\n")
    assert mapped.ask("graph", str(mapped.file), "--format", "svg").returncode == 2


def test_the_name_of_the_file_chooses_the_format(mapped, tmp_path):
    for name, begin in {
        "map.html": "<!doctype html>",
        "map.json": "{",
        "map.gv": "graph",
        "map.md": "flowchart",
    }.items():
        path = tmp_path / name
        done = mapped.ask("graph", str(mapped.file), "-o", str(path))
        assert done.returncode == 0, done.stderr
        assert path.read_text().startswith(begin)


def test_the_interfaces_of_a_device_are_fetched_where_they_are_not_here(mapped):
    switch = next(d for d in mapped.devices() if d["extra"].get("type") == "switch")
    address, local = switch["addresses"][0], switch["local_id"]
    whole = mapped.ask("device", address, str(mapped.file), "--json")
    interfaces = json.loads(whole.stdout)["detail"]["interfaces"]
    assert interfaces
    for path in mapped.state.rglob(f"{local}.db*"):
        path.rename(path.with_name(f"away-{path.name}"))
    brief = mapped.ask("device", address, str(mapped.file))
    assert brief.returncode == 0, brief.stderr
    assert f"the interfaces are at {local}: --ask fetches them" in brief.stderr
    asked = mapped.ask("device", address, str(mapped.file), "--ask", "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["detail"]["interfaces"] == interfaces

    # The regional controller keeps what was asked for.
    def kept():
        now = mapped.ask("device", address, str(mapped.file), "--json")
        return json.loads(now.stdout)["detail"].get("interfaces") == interfaces

    until(kept, "the interfaces are in the store of the region")

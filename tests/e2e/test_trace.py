"""``pdsno trace``: one address through every stage."""

from __future__ import annotations

import json

from .conftest import until


def trace(site, address, *args):
    done = site.ask("trace", address, str(site.file), "--json", *args)
    assert done.returncode in (0, 1), done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert (done.returncode == 1) == any(item["verdict"] == "fail" for item in checks)
    return {item["check"]: (item["verdict"], item["text"]) for item in checks}


def test_an_address_is_followed_from_the_file_to_the_top(site):
    site.write(interval="1h")
    run = site.up().ready()
    run.wait_line("lc1: cycle 1 ")
    device = until(
        lambda: next((d for d in site.devices() if "vendor" in (d.get("extra") or {})), None),
        "a device that speaks SNMP at the top",
    )
    address = device["addresses"][0]
    found = until(
        lambda: (now := trace(site, address)) and {v for v, _ in now.values()} == {"ok"} and now,
        "nothing being under way",
    )
    assert f"{device['local_id']} in region r1: every 1h by icmp, snmp" in found["coverage"][1]
    assert device["sys_name"] in found["snmp"][1]
    assert found["vendor"][1].startswith(f"{device['extra']['vendor']} (")
    assert device["device_id"] in found["local"][1]
    for level in ("regional", "global"):
        assert "has the same, version 1" in found[level][1]
    assert "icmp" not in trace(site, address, "--no-probe")

    assert site.ask("lab", "remove", str(site.file), address).returncode == 0
    gone = trace(site, address)
    assert gone["snmp"][0] == "warn"
    assert "no answer" in gone["snmp"][1] or "is refused" in gone["snmp"][1]

    assert site.ask("stop", str(site.file), "rc1").returncode == 0
    assert site.ask("lab", "add", str(site.file), address).returncode == 0
    assert site.ask("lab", "rename", str(site.file), address, "renamed").returncode == 0
    site.ask("discover", str(site.file), device["local_id"], "--timeout", "1s")
    waits = until(
        lambda: (now := trace(site, address, "--no-probe"))["report"][0] == "warn" and now,
        "the report waits",
    )
    assert "sys_name" in waits["history"][1]
    assert waits["regional"] == ("fail", waits["regional"][1])
    assert "has something else of it" in waits["regional"][1]
    run.interrupt()
    run.end()


def test_an_address_that_no_local_covers_is_not_asked(site):
    site.write()
    found = trace(site, "127.5.5.5")
    assert found == {"coverage": ("fail", "no local controller has 127.5.5.5 among its targets")}


def test_what_is_no_address_is_one_line(site):
    site.write()
    for wrong in ("10.0.0", "10.0.0.0/24", "core-1"):
        done = site.ask("trace", wrong, str(site.file))
        assert done.returncode == 2
        assert done.stderr == (
            f"error: invalid address {wrong!r}: name one address "
            "(pdsno device NAME shows those of a device)\n"
        )

"""One device as text."""

from __future__ import annotations

import pytest

from pdsno_cli.cli.device_view import Change, describe, format_speed
from pdsno_cli.model.details import Detail, Interface, Neighbour, Station, Vlan
from tests.cli.device_formats.samples import facts, record

CORE = facts(
    record("10.0.0.1", "core", vendor="Cisco", type="switch", os="IOS-XE", model="C9300-48P",
           serial="FOC1", version="17.9.4a", location="Hall 1"),
)[0]  # fmt: skip
DETAIL = Detail(
    chassis="02:00:00:00:00:01",
    interfaces=(
        Interface(index=1, name="GigabitEthernet1/0/1", alias="to host", mac="02:00:00:00:00:01",
                  speed=1000, admin="up", state="up", vlan=10),
        *(Interface(index=n, name=f"GigabitEthernet1/0/{n}", admin="up", state="down", speed=1000)
          for n in range(2, 9)),
        Interface(index=9, name="Te1/1/1", admin="down", state="down", alias="spare"),
        Interface(index=10, name="Vlan99", state="up", addresses=("10.0.0.1/24",)),
    ),
    neighbours=(Neighbour(interface="GigabitEthernet1/0/1", protocol="lldp", name="edge",
                          port="et-0/0/0", address="10.0.0.2", capabilities=("router",)),
                Neighbour(interface="GigabitEthernet1/0/1", protocol="lldp", name="host",
                          port="02:00:00:00:00:08", port_description="eno1")),
    vlans=(Vlan(id=1, name="default"), Vlan(id=10, name="users")),
    stations=(Station(mac="02:00:00:00:00:09", interface="GigabitEthernet1/0/1", vlan=10),),
)  # fmt: skip


def shown(*, detail=None, history=(), width=80, of=CORE):
    return describe(of, version=3, detail=detail, history=history, width=width)


def test_what_is_known_is_shown_and_what_is_not_is_left_out():
    lines = shown().splitlines()
    assert lines[0] == "core"
    assert "  system       IOS-XE 17.9.4a" in lines
    assert "  first seen   2023-11-14T22:13:20.000Z" in lines
    assert "  version      3 of its record in the store" in lines
    assert not any(line.startswith("  credential") for line in lines)
    assert not any("interface" in line for line in lines)


def test_interfaces_neighbours_vlans_and_macs_are_tables_that_fit():
    text = shown(detail=DETAIL)
    assert all(len(line) <= 80 for line in text.splitlines())
    for word in ("10 interfaces\n", "2 neighbours\n", "2 VLANs\n", "1 learned MAC\n",
                 "GigabitEthernet1/0/1  up", "Te1/1/1               disabled",
                 "10.0.0.1/24", "edge", "et-0/0/0", "eno1", "1 default, 10 users"):  # fmt: skip
        assert word in text, text
    assert "7 others are not in use: --wide shows them" in text
    assert "GigabitEthernet1/0/2" not in text


def test_wide_shows_every_interface_and_column():
    text = shown(detail=DETAIL, width=None)
    assert "GigabitEthernet1/0/2" in text
    assert "others are not in use" not in text
    assert "02:00:00:00:00:01  10" in text


def test_history_is_listed_with_values_before_and_after():
    changes = [
        Change("2026-01-01T00:00:00Z", "updated", {"sys_name": ("old", "core"), "mac": ("", "x")})
    ]
    text = shown(history=changes)
    assert "history\n  2026-01-01T00:00:00Z  updated\n" in text
    assert "sys_name: old → core" in text
    assert "mac: none → x" in text


def test_text_of_a_device_cannot_steer_the_terminal():
    evil = facts(record("10.0.0.9", "a\x1b[2Jb"))[0] | {"sys_descr": "x\x1b]0;t\x07" + " y" * 100}
    odd = Detail(interfaces=(Interface(index=1, name="e\x1b[0m", state="up"),))
    text = shown(of=evil, detail=odd)
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("speed", "text"),
    [(None, ""), (0, ""), (100, "100M"), (1000, "1G"), (2500, "2.5G"), (400_000, "400G")],
)
def test_format_speed(speed, text):
    assert format_speed(speed) == text


def test_long_values_of_the_history_are_wrapped():
    change = Change("2026-01-01T00:00:00Z", "updated", {"sys_descr": ("old words " * 20, "new")})
    lines = shown(history=[change]).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[-1].endswith("→ new")

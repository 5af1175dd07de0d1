"""Which targets get a device, and what it says of itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.lab.plan import Segment, plan
from pdsno_cli.lab.recording import names
from pdsno_cli.model.errors import LabError
from pdsno_cli.model.targets import expand

ONE = Segment(targets=expand(["127.102.8.1-127.102.8.30"]), port=1161)
TWO = Segment(targets=expand(["127.102.9.1-127.102.9.23"]), port=2161, community="two")


def test_plan_gives_zone_a_53_devices_of_which_25_speak():
    devices = plan([ONE, TWO], devices=53, snmp=25)
    assert len(devices) == 53
    assert [sum(d.snmp for d in part) for part in (devices[:30], devices[30:])] == [15, 10]
    assert {(d.port, d.community) for d in devices[30:]} == {(2161, "two")}
    assert devices == plan([ONE, TWO], devices=53, snmp=25)


def test_plan_makes_every_device_its_own():
    devices = plan([ONE, TWO], devices=53, snmp=53)
    for key in ("address", "sys_name", "mac"):
        assert len({getattr(d, key) for d in devices}) == 53
    assert all(normalise_mac(d.mac) == d.mac for d in devices)
    assert devices[0].sys_name == "rt-edge-01"


def test_plan_of_zone_a_plays_every_recording():
    devices = plan([ONE, TWO], devices=53, snmp=25)
    assert {item.recording for item in devices if item.snmp} == set(names())
    assert {item.sys_name.split("-")[0] for item in devices if not item.snmp} == {"host"}


def test_plan_gives_agents_the_communities_of_their_segment_in_turn():
    segment = Segment(targets=expand(["127.102.8.1-127.102.8.6"]), credentials=("a", "b"))
    devices = plan([segment], devices=6, snmp=4)
    assert [item.community for item in devices if item.snmp] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(("devices", "snmp"), [(54, 0), (2, 3)])
def test_plan_refuses_what_does_not_fit(devices, snmp):
    with pytest.raises(LabError, match="the lab has"):
        plan([ONE, TWO], devices=devices, snmp=snmp)


@given(st.integers(0, 53), st.integers(0, 53))
def test_plan_keeps_both_counts_and_spreads_evenly(devices, snmp):
    snmp = min(devices, snmp)
    made = plan([ONE, TWO], devices=devices, snmp=snmp)
    assert (len(made), sum(d.snmp for d in made)) == (devices, snmp)
    if devices:
        first = sum(d.address.startswith("127.102.8.") for d in made)
        assert abs(first - devices * 30 / 53) <= 1

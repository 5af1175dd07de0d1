"""Whom a sweep waits for, and the figures of the registry where none are declared."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.pace import Pace, by_index
from pdsno_cli.model.probes import FACTS
from pdsno_cli.model.targets import AddressSet

ICMP, SNMP = FACTS["icmp"], FACTS["snmp"]
KNOWN = {"10.0.0.1": ("icmp", "snmp"), "10.0.0.2": ("icmp",)}


def test_thorough_sweep_waits_for_all():
    assert Pace().patient(ICMP) is None
    assert by_index(["10.0.0.1"], None) is None


@pytest.mark.parametrize(
    ("facts", "there", "expected"),
    [(ICMP, False, [1, 1, 0]), (SNMP, False, [1, 0, 0]), (SNMP, True, [1, 0, 1])],
)
def test_quick_sweep_waits_for_what_answered_before_and_for_what_is_new(facts, there, expected):
    targets = AddressSet.of(["10.0.0.1-10.0.0.3"])
    patient = by_index(targets, Pace(known=KNOWN, there=there).patient(facts))
    assert [index in patient for index in range(3)] == expected


@pytest.mark.parametrize(
    ("pace", "rate", "floor", "ceiling"),
    [
        (Pace(), ICMP.rate, ICMP.floor, ICMP.timeout),
        (Pace(rate=10, floor=0.2, ceiling=3.0), 10, 0.2, 3.0),
        (Pace(ceiling=0.01), ICMP.rate, 0.01, 0.01),
        (Pace(floor=5.0), ICMP.rate, 5.0, 5.0),
    ],
)
def test_declared_figures_replace_those_of_the_registry(pace, rate, floor, ceiling):
    found = (pace.rate_of(ICMP), pace.floor_of(ICMP), pace.ceiling_of(ICMP))
    assert found == (rate, floor, ceiling)

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pdsno_cli.client.checklist.fallback import judge
from pdsno_cli.client.drill import DrillResult
from pdsno_cli.supervisor.recovery import Measured, Outage

CARRIED = {name: Outage(lost=0.1, again=0.7, transport="http") for name in ("g1", "lc1")}
GOOD = DrillResult(
    measured=Measured(fallback=0.7, recovery=3.0, delayed=1, outages=CARRIED),
    recovery=3.0,
    lost=0,
    twice=0,
    missing=None,
)


def with_outages(**outages: Outage) -> DrillResult:
    return replace(GOOD, measured=replace(GOOD.measured, outages={**CARRIED, **outages}))


def test_fallback_that_carries_in_the_outage_is_ok():
    found = judge(GOOD, outage=10)
    assert (found.verdict, found.subjects) == ("ok", ())
    assert found.text.startswith("all ready over http after 0.7 s without the broker; 0 lost")


@pytest.mark.parametrize(
    ("result", "subjects"),
    [
        (with_outages(lc2=Outage(lost=0.1)), ("lc2",)),
        (with_outages(lc2=Outage(lost=0.1, again=11.0, transport="mqtt")), ("lc2",)),
        (replace(GOOD, lost=1), ()),
        (replace(GOOD, twice=1), ()),
        (replace(GOOD, missing="lc1 is connecting", recovery=math.inf), ()),
        # No controller lost its transport: then nothing has been shown.
        (replace(GOOD, measured=replace(GOOD.measured, fallback=None, outages={})), ()),
    ],
)
def test_fallback_that_does_not_carry_or_loses_messages_fails(result, subjects):
    found = judge(result, outage=10)
    assert (found.verdict, found.subjects) == ("fail", subjects)
    assert found.hint is not None

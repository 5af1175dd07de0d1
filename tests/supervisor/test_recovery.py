from __future__ import annotations

import math

from pdsno_cli.supervisor.recovery import (
    SETTLED,
    ControllerSample,
    RecoveryMeter,
    Sample,
    measure,
    sample,
)

PIDS = {"g1": 1, "lc1": 2}


def at(seconds, over=None, **changes):
    """Two controllers, ready over MQTT but for what ``changes`` say: state, transport, waiting."""
    seen = {}
    for name, pid in PIDS.items():
        state, transport, waiting, *other = changes.get(name, ("ready", "mqtt", 0))
        seen[name] = ControllerSample(
            state=state, transport=transport, waiting=waiting, pid=other[0] if other else pid
        )
    return Sample(at=seconds, over=over, controllers=seen)


GONE = ("disconnected", None, 2)
HTTP = ("ready", "http", 0)


def measured(*samples, victim=None):
    return measure(at(0), samples, victim=victim, preferred="mqtt")


def test_measure_of_an_unnoticed_fault_has_no_fallback():
    result = measured(at(0.1), at(3, 3), at(3 + SETTLED, 3))
    assert result.fallback is None
    assert result.recovery == 0
    assert result.delayed == 0


def test_measure_takes_the_last_that_fell_back_and_the_most_that_waited():
    result = measured(
        at(0.1, g1=GONE),
        at(0.6, g1=HTTP, lc1=GONE),
        at(1.7, g1=HTTP, lc1=("ready", "http", 3)),
        at(3.1, 3, g1=HTTP, lc1=HTTP),
        at(6.5, 3, lc1=HTTP),
        at(7, 3),
        at(7 + SETTLED, 3),
    )
    assert result.fallback == 1.7
    assert result.recovery == 4
    assert result.delayed == 3
    assert (result.outages["lc1"].lost, result.outages["lc1"].transport) == (0.6, "http")


def test_measure_without_another_transport_counts_until_the_preferred_one_is_back():
    result = measured(at(0.1, lc1=GONE), at(31, 30), at(31 + SETTLED, 30))
    assert result.fallback == 31


def test_measure_of_a_controller_that_is_never_ready_again_is_infinite():
    result = measured(at(0.1, lc1=GONE), at(60, 3, lc1=GONE))
    assert result.fallback == math.inf
    assert result.recovery is None


def test_measure_leaves_out_the_victim_and_controllers_that_ended():
    away = ("restarting", None, 0, None)
    result = measured(at(0.1, lc1=away), at(2, 1, lc1=("ready", "mqtt", 0, 9)), victim="lc1")
    assert result.fallback is None
    result = measured(at(0.1, lc1=GONE), at(0.2, lc1=away), at(2, 1, lc1=("ready", "mqtt", 0, 9)))
    assert result.fallback is None


def test_measure_takes_being_ready_for_a_moment_for_no_recovery():
    result = measured(at(5, 5), at(5.1, 5, lc1=GONE), at(8, 5), at(8 + SETTLED, 5))
    assert result.recovery == 3


def test_measure_waits_for_each_outbox_to_have_been_empty_once():
    samples = [
        at(3, 3, g1=("ready", "mqtt", 4), lc1=("ready", "mqtt", 4)),
        at(3.5, 3, lc1=("ready", "mqtt", 1)),
        at(6, 3, g1=("ready", "mqtt", 1)),
    ]
    assert measured(*samples[:2]).recovery is None
    assert measured(*samples).recovery == 3


def test_missing_names_the_controllers_that_have_not_recovered():
    meter = RecoveryMeter(at(0), victim=None, preferred="mqtt")
    meter.add(at(4, 3, g1=HTTP, lc1=GONE))
    assert meter.missing == "g1 is ready over http, lc1 is disconnected"
    meter.add(at(5, 3, lc1=("ready", "mqtt", 2)))
    assert meter.missing == "lc1 has 2 waiting"


def test_sample_of_a_report_has_the_clock_of_its_fault():
    row = {"id": "g1", "state": "ready", "transport": "mqtt", "pid": 1, "waiting": 0}
    assert sample({"controllers": [row]}).at == 0
    taken = sample({"controllers": [row], "fault": {"age": 2.5, "over": 2.0}})
    assert (taken.at, taken.over) == (2.5, 2.0)
    assert taken.controllers["g1"].pid == 1

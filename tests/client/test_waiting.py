from __future__ import annotations

import pytest

from pdsno_cli.client.controller_orders import carried_out, in_order
from pdsno_cli.client.waiting import Condition, missing, parse_condition
from pdsno_cli.model.errors import UsageError

ROWS = [
    {"id": "g1", "role": "global", "health": "ready", "reason": None, "committed_at_top": 0},
    {"id": "rc1", "role": "regional", "health": "down", "reason": "away", "committed_at_top": 0},
    {"id": "lc1", "role": "local", "health": "ready", "reason": None, "committed_at_top": 2},
    {"id": "lc2", "role": "local", "health": "ready", "reason": None, "committed_at_top": 1},
]


def test_children_come_before_parents_and_with_a_start_after_them():
    assert in_order(ROWS, [], parents_first=False) == ["lc1", "lc2", "rc1", "g1"]
    assert in_order(ROWS, ["lc2", "g1", "lc2"], parents_first=True) == ["g1", "lc2"]


def test_an_unknown_controller_gets_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'rc1'"):
        in_order(ROWS, ["rc11"], parents_first=False)


@pytest.mark.parametrize(
    ("order", "row", "was", "done"),
    [
        ("restart", ("ready", 1, 10), "running", False),  # the old process, still there
        ("restart", ("ready", 2, 11), "running", True),
        ("restart", ("ready", 2, 10), "running", True),  # a thread of the same process
        ("restart", ("ready", 1, 11), "running", True),  # without the store of before
        ("start", ("ready", 1, 10), "running", True),
        ("start", ("ready", 1, 10), "starting", False),
        ("start", ("ready", 1, 11), "starting", True),
        ("start", ("connecting", 2, 11), "starting", False),
        ("stop", ("stopped", 1, None), "running", True),
        ("stop", ("ready", 1, 10), "running", False),
    ],
)
def test_an_order_is_carried_out_once_the_process_is_as_ordered(order, row, was, done):
    answer = {"state": was, "epoch": 1, "pid": 10}
    row = dict(zip(("state", "epoch", "pid"), row, strict=True))
    assert carried_out(order, row, answer) is done


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("ready", Condition()),
        ("cycles=3", Condition(cycles=3)),
        ("event=controller_down", Condition(event="controller_down")),
    ],
)
def test_a_condition_is_parsed(text, condition):
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redy", "write ready, cycles=N or event=KIND"),
        ("ready=1", "write ready"),
        ("cycles=0", "write ready"),
        ("cycles=many", "write ready"),
        ("event=controler_down", "did you mean 'controller_down'"),
        ("event=xyz", "one of: controller_up"),
    ],
)
def test_an_invalid_condition_is_refused_with_a_suggestion(text, told):
    with pytest.raises(UsageError, match=told):
        parse_condition(text)


def test_what_is_missing_is_named():
    report = {"controllers": ROWS}
    assert missing(report, Condition()) == ["rc1 is down (away)"]
    assert missing(report, Condition(cycles=1)) == []
    assert missing(report, Condition(cycles=2)) == ["lc2 has 1 of 2 cycles at the top"]

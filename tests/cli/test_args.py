from __future__ import annotations

import math
from datetime import datetime

import pytest

from pdsno_cli.cli.args import exceeded, format_measure, moment, parse_bounds
from pdsno_cli.model.errors import UsageError

WELL = {"fallback": None, "recovery": 3.2, "delayed": 4, "lost": 0, "twice": 0}


def test_bounds_are_seconds_for_durations_and_numbers_for_counts():
    bounds = parse_bounds(["fallback<=10s", " recovery <= 2m ", "delayed<=5", "lost<=0"])
    assert [(item.key, item.most) for item in bounds] == [
        ("fallback", 10),
        ("recovery", 120),
        ("delayed", 5),
        ("lost", 0),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recovery<10s", "as in 'recovery<=10s'"),
        ("lost", "as in 'lost<=0'"),
        ("", "as in 'fallback<=10s'"),
        ("recovry<=10s", "did you mean 'recovery'?"),
        ("speed<=10s", "one of: fallback, recovery, delayed, lost, twice"),
        ("recovery<=10", "write a number and ms, s, m or h"),
        ("lost<=0s", "'0s' is not a number"),
    ],
)
def test_malformed_bound_is_refused_with_a_suggestion(text, said):
    with pytest.raises(UsageError) as caught:
        parse_bounds([text])
    assert said in str(caught.value)


def test_exceeded_returns_the_bounds_that_do_not_hold():
    bounds = parse_bounds(["fallback<=1s", "recovery<=3s", "delayed<=4"])
    assert [item.text for item in exceeded(bounds, WELL)] == ["recovery<=3s"]
    assert [b.text for b in exceeded(bounds, {**WELL, "fallback": math.inf, "recovery": 1.0})] == [
        "fallback<=1s"
    ]


def test_exceeded_bounds_lost_and_twice_by_0_whatever_is_expected():
    bounds = parse_bounds(["lost<=5"])
    assert [item.text for item in exceeded(bounds, {**WELL, "lost": 3, "twice": 1})] == [
        "lost<=0",
        "twice<=0",
    ]
    assert [item.text for item in exceeded(parse_bounds(["lost<=0"]), {**WELL, "lost": 3})] == [
        "lost<=0"
    ]


def test_format_measure_adds_the_unit():
    assert format_measure("fallback", None) == "-"
    assert format_measure("fallback", math.inf) == "never"
    assert format_measure("recovery", 3.214) == "3.21 s"
    assert format_measure("lost", 0) == "0"


NOW = datetime(2026, 11, 26, 14, 0, 0).timestamp()  # noqa: DTZ001 - local, as users write it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", "2026-11-26T13:50:00"),
        ("0s", "2026-11-26T14:00:00"),
        ("13:30", "2026-11-26T13:30:00"),
        ("22:30", "2026-11-25T22:30:00"),
        ("22:30:15", "2026-11-25T22:30:15"),
        ("2026-11-20", "2026-11-20T00:00:00"),
        ("2026-11-20 08:15", "2026-11-20T08:15:00"),
        ("2026-11-20T08:15:00Z", "2026-11-20T08:15:00+00:00"),
    ],
)
def test_moment_is_ago_of_the_day_or_a_date(text, expected):
    assert moment(text, NOW) == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize("text", ["yesterday", "10", "", "25:00", "2026-13-01"])
def test_moment_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="invalid time"):
        moment(text, NOW)

from __future__ import annotations

import math

import pytest

from pdsno_cli.cli.bounds import broken, in_words, parse_bounds
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
        ("lost<=0s", "'0s' is no number"),
    ],
)
def test_malformed_bound_is_refused_with_a_suggestion(text, said):
    with pytest.raises(UsageError) as caught:
        parse_bounds([text])
    assert said in str(caught.value)


def test_broken_names_the_bounds_that_do_not_hold():
    bounds = parse_bounds(["fallback<=1s", "recovery<=3s", "delayed<=4"])
    assert [item.text for item in broken(bounds, WELL)] == ["recovery<=3s"]
    assert [b.text for b in broken(bounds, {**WELL, "fallback": math.inf, "recovery": 1.0})] == [
        "fallback<=1s"
    ]


def test_broken_holds_lost_and_twice_to_none_whatever_is_expected():
    bounds = parse_bounds(["lost<=5"])
    assert [item.text for item in broken(bounds, {**WELL, "lost": 3, "twice": 1})] == [
        "lost<=0",
        "twice<=0",
    ]
    assert [item.text for item in broken(parse_bounds(["lost<=0"]), {**WELL, "lost": 3})] == [
        "lost<=0"
    ]


def test_values_are_told_in_their_units():
    assert in_words("fallback", None) == "-"
    assert in_words("fallback", math.inf) == "never"
    assert in_words("recovery", 3.214) == "3.21 s"
    assert in_words("lost", 0) == "0"

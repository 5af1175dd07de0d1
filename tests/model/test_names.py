"""Suggestions for misspelled names."""

from __future__ import annotations

import pytest

from pdsno_cli.model.names import did_you_mean, nearest, suggest


@pytest.mark.parametrize(
    ("name", "expected"),
    [("polcy", "policy"), ("POLICY", "policy"), ("regoin", "region"), ("xyz", None), ("", None)],
)
def test_nearest_is_the_most_similar_candidate(name, expected):
    assert nearest(name, ["policy", "region", "zone-A"]) == expected


def test_did_you_mean_keeps_the_case_of_the_candidate():
    assert did_you_mean("zone-a", ["zone-A"]) == "did you mean 'zone-A'?"
    assert did_you_mean("zone-a", ["campus"]) is None


def test_suggest_names_the_nearest_or_what_there_is():
    assert suggest("lc-1", ["lc1", "rc1"]) == "did you mean 'lc1'?"
    assert suggest("x", ["lc1", "rc1"]) == "one of: lc1, rc1"
    assert suggest("x", [f"lc{n:03}" for n in range(200)]).endswith("lc011 and 188 more")
    assert suggest("x", []) == "there is none"

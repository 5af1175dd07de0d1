"""Durations in files and in code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.durations import (
    PATTERN,
    format_about,
    format_age,
    format_duration,
    parse_duration,
)


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_duration_survives_being_written(number, unit):
    seconds = parse_duration(f"{number}{unit}")
    if seconds >= 0.001:
        assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-5)


@given(st.text(alphabet="0123456789.msh -", max_size=8))
def test_duration_and_the_schema_pattern_agree(text):
    legal = re.search(PATTERN, text) is not None and not text.endswith("\n")
    try:
        parse_duration(text)
    except ValueError:
        assert not legal
    else:
        assert legal


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.7014, "0.701s"), (119, "119s"), (150, "2.5m"), (30_000, "8.33h"), (1e6, "11.6d")],
)
def test_format_about_has_three_digits_of_the_largest_fitting_unit(seconds, text):
    assert format_about(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (330.2, "5 min 30 s"),
        (3600, "1 h"),
        (3 * 3600 + 5 * 60 + 7, "3 h 5 min"),
        (2 * 86_400 + 59, "2 d"),
        (2 * 86_400 + 4 * 3600, "2 d 4 h"),
    ],
)
def test_format_age_has_the_two_largest_units(seconds, text):
    assert format_age(seconds) == text

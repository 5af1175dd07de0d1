"""Ranges in keys, shares of a prefix, durations."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdsno_cli.model.durations import PATTERN, format_duration, parse_duration
from pdsno_cli.spec.prefix_split import split_prefix
from pdsno_cli.spec.ranges import LIMIT, expand

# A busy machine is not a slow function.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(st.integers(0, 500), st.integers(0, 40), st.integers(0, 5), st.text("ab_-", max_size=4))
def test_range_counts_from_first_to_last_in_one_width(first, more, width, name):
    low, high = f"{first:0{width}d}", f"{first + more:0{width}d}"
    if len(low) != len(high) and "0" in (low[0] if len(low) > 1 else "", high[0]):
        return
    ids = expand(f"{name}[{low}:{high}]x")
    assert [int(item[len(name) : -1]) for item in ids] == list(range(first, first + more + 1))
    if len(low) > 1 and low.startswith("0"):
        assert {len(item) for item in ids} == {len(name) + len(low) + 1}


@CALM
@given(st.text(max_size=30).filter(lambda text: "[" not in text and "]" not in text))
def test_key_without_brackets_stands_for_itself(key):
    assert expand(key) == [key]


@CALM
@given(st.text(alphabet="[]:0123456789ab", max_size=20))
def test_any_key_expands_or_raises_value_error(key):
    try:
        ids = expand(key)
    except ValueError:
        assert set(key) & set("[]")
    else:
        assert ids
        assert not set("".join(ids)) & set("[]")


def test_several_ranges_give_every_combination_the_last_fastest():
    assert expand("r[1:2]s[08:10]") == [
        f"r{rack}s{slot:02d}" for rack in (1, 2) for slot in (8, 9, 10)
    ]


@pytest.mark.parametrize(
    "key", ["a[2:1]", "a[01:100]", "a[1:]", "a[b:c]", "a]1[", f"a[0:{LIMIT}]", "[1:999][1:999]"]
)
def test_malformed_or_oversized_range_is_refused(key):
    with pytest.raises(ValueError, match=r"range|stands for"):
        expand(key)


@CALM
@given(st.integers(0, 32), st.integers(0, 32), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_shares_are_the_first_subnets(length, into, count, address):
    network = ipaddress.ip_network((address, length), strict=False)
    try:
        shares = split_prefix(str(network), into, count)
    except ValueError:
        assert into < length or 2 ** (into - length) < count
        return
    expected = network.subnets(new_prefix=into)
    assert shares == [str(next(expected)) for _ in range(count)]


@CALM
@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_duration_survives_being_written(number, unit):
    seconds = parse_duration(f"{number}{unit}")
    if seconds >= 0.001:
        assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-5)


@CALM
@given(st.text(alphabet="0123456789.msh -", max_size=8))
def test_duration_and_the_schema_pattern_agree(text):
    legal = re.search(PATTERN, text) is not None and not text.endswith("\n")
    try:
        parse_duration(text)
    except ValueError:
        assert not legal
    else:
        assert legal

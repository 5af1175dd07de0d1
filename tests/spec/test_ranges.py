"""Ranges in controller keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.spec.ranges import LIMIT, expand


@given(st.integers(0, 500), st.integers(0, 40), st.integers(0, 5), st.text("ab_-", max_size=4))
def test_range_counts_from_first_to_last_in_one_width(first, more, width, name):
    low, high = f"{first:0{width}d}", f"{first + more:0{width}d}"
    if len(low) != len(high) and "0" in (low[0] if len(low) > 1 else "", high[0]):
        return
    ids = expand(f"{name}[{low}:{high}]x")
    assert [int(item[len(name) : -1]) for item in ids] == list(range(first, first + more + 1))
    if len(low) > 1 and low.startswith("0"):
        assert {len(item) for item in ids} == {len(name) + len(low) + 1}


@given(st.text(max_size=30).filter(lambda text: "[" not in text and "]" not in text))
def test_key_without_brackets_stands_for_itself(key):
    assert expand(key) == [key]


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

"""The verdict on a message's number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.nib.marks import Mark, Verdict, judge


@pytest.mark.parametrize(
    ("mark", "epoch", "seq", "verdict"),
    [
        (None, 5, 1, Verdict.FRESH),
        (None, 5, 3, Verdict.GAP),
        (Mark(5, 3), 5, 4, Verdict.FRESH),
        (Mark(5, 3), 5, 3, Verdict.DUPLICATE),
        (Mark(5, 3), 5, 1, Verdict.DUPLICATE),
        (Mark(5, 3), 5, 6, Verdict.GAP),
        (Mark(5, 3), 6, 1, Verdict.FRESH),
        (Mark(5, 3), 6, 2, Verdict.GAP),
        (Mark(5, 3), 4, 4, Verdict.STALE),
        (Mark(5, 3), 5, 0, Verdict.FRESH),
        (Mark(5, 3), 4, 0, Verdict.STALE),
    ],
)
def test_judge(mark, epoch, seq, verdict):
    assert judge(mark, epoch, seq) is verdict


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6)), max_size=40))
def test_nothing_is_taken_twice_nor_out_of_order(numbers):
    mark, taken = None, []
    for epoch, seq in numbers:
        if judge(mark, epoch, seq) in (Verdict.FRESH, Verdict.GAP):
            mark = Mark(epoch, seq)
            taken.append(mark)
    assert taken == sorted(set(taken))

"""The verdict on a message's number."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.nib.offsets import Offset, Verdict, judge


@pytest.mark.parametrize(
    ("mark", "epoch", "seq", "verdict"),
    [
        (None, 5, 1, Verdict.UNKNOWN),
        (None, 5, 3, Verdict.UNKNOWN),
        (Offset(5, 3), 5, 4, Verdict.NEXT),
        (Offset(5, 3), 5, 3, Verdict.DUPLICATE),
        (Offset(5, 3), 5, 1, Verdict.DUPLICATE),
        (Offset(5, 3), 5, 6, Verdict.GAP),
        (Offset(5, 3), 6, 1, Verdict.NEXT),
        (Offset(5, 3), 6, 2, Verdict.GAP),
        (Offset(5, 3), 4, 4, Verdict.STALE),
    ],
)
def test_judge(mark, epoch, seq, verdict):
    assert judge(mark, epoch, seq) is verdict


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6)), max_size=60))
def test_numbers_are_accepted_once_in_order_and_without_gaps(numbers):
    mark, taken = Offset(1, 0), []
    for epoch, seq in numbers:
        if judge(mark, epoch, seq) is Verdict.NEXT:
            mark = Offset(epoch, seq)
            taken.append(mark)
    assert taken == sorted(set(taken))
    for before, after in pairwise(taken):
        assert after == (before.epoch, before.seq + 1) or (
            after.epoch > before.epoch and after.seq == 1
        )

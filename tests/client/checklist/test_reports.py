from __future__ import annotations

import pytest

from pdsno_cli.client.checklist.plane import some
from pdsno_cli.client.checklist.reports import missing


@pytest.mark.parametrize(
    ("wanted", "committed", "why"),
    [
        ((7, 3), (7, 3), None),
        ((7, 3), (7, 4), None),  # another cycle ended meanwhile
        ((7, 3), (8, 1), None),  # it was restarted meanwhile
        ((7, 0), (6, 9), "no cycle has ended yet"),
        ((7, 3), None, "nothing of it is committed"),
        ((7, 3), (7, 2), "cycle 3 has ended, cycle 2 is committed"),
        ((7, 3), (6, 9), "cycle 3 has ended, a cycle of an earlier start is committed"),
    ],
)
def test_missing_compares_epoch_and_cycle(wanted, committed, why):
    have = {} if committed is None else {"lc1": committed}
    assert missing({"lc1": wanted}, have) == ({} if why is None else {"lc1": why})


def test_some_names_three_and_counts_the_rest():
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"

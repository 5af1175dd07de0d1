"""Every message ever sent is somewhere, and what is nowhere is found."""

from __future__ import annotations

import pytest

from pdsno_cli.nib.audit import Sent, reconcile
from pdsno_cli.nib.offsets import Offset, StreamCounters, advance


def account(*, last, waiting=(), coalesced=(), settled=0, counters=None, epoch=5, settled_epoch=5):
    sent = Sent(
        stream="s",
        epoch=epoch,
        last=last,
        waiting=dict.fromkeys(waiting, 0.0),
        coalesced=tuple(coalesced),
        acknowledged=Offset(settled_epoch, settled),
    )
    return reconcile("a", "b", sent, counters and StreamCounters(epoch=epoch, **counters))


def numbers(found):
    names = ("committed", "quarantined", "coalesced", "waiting", "earlier", "lost", "twice")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"last": 3, "waiting": {1, 2, 3}}, {"waiting": 3}),
        ({"last": 3, "settled": 3, "counters": {"seq": 3, "applied": 3}}, {"committed": 3}),
        # Committed, its acknowledgement still on the way.
        ({"last": 3, "waiting": {2, 3}, "settled": 1, "counters": {"seq": 3, "applied": 3}},
         {"committed": 3}),
        ({"last": 4, "waiting": {3, 4}, "settled": 2,
          "counters": {"seq": 2, "applied": 1, "quarantined": 1}},
         {"committed": 1, "quarantined": 1, "waiting": 2}),
        # Given way before the receiver saw it, and after.
        ({"last": 9, "waiting": {9}, "coalesced": [(3, 8)], "settled": 2,
          "counters": {"seq": 2, "applied": 2}}, {"committed": 2, "coalesced": 6, "waiting": 1}),
        ({"last": 9, "coalesced": [(3, 8)], "settled": 9,
          "counters": {"seq": 9, "applied": 3, "skipped": 6}}, {"committed": 3, "coalesced": 6}),
        # Some of what gave way had been committed already.
        ({"last": 9, "coalesced": [(3, 8)], "settled": 9,
          "counters": {"seq": 9, "applied": 6, "skipped": 3}}, {"committed": 6, "coalesced": 3}),
        # The receiver lost its store: before and after it was told where to go on.
        ({"last": 4, "settled": 4}, {"earlier": 4}),
        ({"last": 5, "settled": 4, "counters": {"seq": 5, "applied": 1, "skipped": 4}},
         {"committed": 1, "earlier": 4}),
        ({"last": 4, "settled": 1, "settled_epoch": 6}, {"earlier": 4}),
        # A snapshot, number 2, reached a receiver whose store is new before number 1.
        ({"last": 2, "waiting": {1, 2}, "counters": {"seq": 2, "applied": 1, "skipped": 1}},
         {"committed": 1, "earlier": 1}),
        # What must never be.
        ({"last": 4, "waiting": {4}, "settled": 1, "counters": {"seq": 1, "applied": 1}},
         {"committed": 1, "waiting": 1, "lost": 2}),
        ({"last": 4, "settled": 0, "counters": {"seq": 4, "applied": 3, "skipped": 1}},
         {"committed": 3, "lost": 1}),
        ({"last": 4, "settled": 4, "counters": {"seq": 4, "applied": 5}},
         {"committed": 5, "twice": 1}),
        ({"last": 4, "settled": 4, "counters": {"seq": 4, "applied": 3}},
         {"committed": 3, "lost": 1}),
    ],
)  # fmt: skip
def test_reconcile(given, expected):
    found = account(**given)
    assert numbers(found) == expected
    assert found.accounted == ("lost" not in expected and "twice" not in expected)


def test_number_committed_twice_is_found_beside_skipped_ones():
    counters = None
    for seq in (1, 2, 2, 5):
        counters = advance(counters, Offset(5, seq), applied=1)
    found = reconcile(
        "a", "b", Sent(stream="s", epoch=5, last=5, waiting={}, coalesced=((3, 4),),
                       acknowledged=Offset(5, 5)), counters,
    )  # fmt: skip
    assert numbers(found) == {"committed": 4, "coalesced": 2, "twice": 1}

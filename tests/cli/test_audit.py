"""The verdict and the text of an audit; its reading of stores is in tests/client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pdsno_cli.cli.audit import _Result
from pdsno_cli.client.inventories import Inventory
from pdsno_cli.nib.audit import Account
from pdsno_cli.nib.contents import Contents

NOW = 1_000_000.0
FINE = Account(
    sender="lc1", receiver="rc1", stream="discovery/r1/lc1", epoch=5, sent=9, committed=9,
    quarantined=0, coalesced=0, waiting=0, earlier=0, lost=0, twice=0,
)  # fmt: skip
WAITING = replace(FINE, committed=7, waiting=2, oldest=NOW - 30)
HELD = Contents(3, "a")
EQUAL = Inventory(
    local_id="lc1", region="r1", local=HELD, regional=HELD, top=HELD, on_its_way=False
)


def result(*accounts, missing=(), inventories=(EQUAL,), limit=60.0):
    return _Result(list(accounts), list(missing), list(inventories), now=NOW, limit=limit)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (result(FINE), "9 messages, all accounted for; 0 on their way"),
        (result(WAITING), "9 messages, all accounted for; 2 on their way"),
    ],
)
def test_a_plane_in_order_is_well_and_one_line(found, verdict):
    assert found.well
    assert found.verdict() == [verdict]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (result(replace(FINE, committed=7, lost=2)), "9 messages, 2 lost, 0 twice"),
        (result(replace(FINE, twice=1)), "0 lost, 1 twice"),
        (result(FINE, missing=["rc1"]), "no store of rc1 on this machine"),
        (
            result(WAITING, limit=20.0),
            "discovery/r1/lc1 is stalled: 2 messages of lc1 for rc1, the oldest for 30 s (limit 20 s)",
        ),
        (
            result(WAITING, replace(WAITING, oldest=NOW - 25), FINE, limit=20.0),
            "the oldest for 30 s (limit 20 s); 1 more stalled",
        ),
        (
            result(FINE, inventories=[replace(EQUAL, top=Contents(2, "b"))]),
            "the inventories differ between levels for lc1",
        ),
    ],
)
def test_each_finding_is_a_line_and_not_well(found, words):
    assert not found.well
    (line,) = found.verdict()
    assert words in line


def test_text_shows_streams_with_findings_or_all():
    ordinary = replace(FINE, sender="lc2", stream="discovery/r1/lc2")
    found = result(WAITING, ordinary)
    some, every = found.text(every=False), found.text(every=True)
    assert "discovery/r1/lc1: lc1 → rc1" in some
    assert "epoch 5: 9 sent, 7 committed, 2 waiting (for 30 s)" in some
    assert "lc2" not in some
    assert "discovery/r1/lc2: lc2 → rc1" in every


def test_members_have_every_stream_and_level():
    members = result(WAITING, missing=["gc"], inventories=[replace(EQUAL, top=None)]).members()
    assert (members["well"], members["accounted"]) == (False, False)
    assert members["without_store"] == ["gc"]
    (stream,) = members["streams"]
    assert (stream["waiting"], stream["oldest_wait"]) == (2, 30.0)
    (inventory,) = members["inventories"]
    assert inventory["at_local"] == {"devices": 3, "hash": "a"}
    assert inventory["at_top"] is None
    assert inventory["contents"] == "equal"

from __future__ import annotations

import pytest

from pdsno_cli.cli.heard_view import status_text
from pdsno_cli.client.heard import Heard, HeardController
from pdsno_cli.client.heard_report import heard_report
from pdsno_cli.model.messages import Status
from tests.runtime.test_acl import TOPOLOGY


def report(**changes) -> dict:
    status = Status(
        state="heartbeat", role="local", region="r1", connection=1, heartbeat=1.0, holder="a\x1b[2J"
    )
    item = {"role": "local", "region": "r1", "status": status, "epoch": 7, "live": True} | changes
    heard = Heard(topology=TOPOLOGY)
    heard.controllers = {"lc1": HeardController(controller_id="lc1", **item)}
    return heard_report(heard)


@pytest.mark.parametrize("at", [None, "yesterday", "2026-13-45T00:00:00Z"])
def test_status_without_a_valid_time_has_no_age(at):
    found = report(at=at)
    assert found["controllers"][0]["last_status_age"] is None
    assert found["well"]
    assert "1/1 alive" in status_text(found, found["controllers"], width=80)


def test_text_of_a_stranger_does_nothing_to_a_terminal_and_fits():
    found = report(at="2026-11-26T12:00:00Z", live=False)
    wide = status_text(found, found["controllers"], width=None)
    assert r"a\x1b[2J" in wide
    assert "\x1b" not in wide
    narrow = status_text(found, found["controllers"], width=40)
    assert max(map(len, narrow.splitlines()[2:])) <= 40
    assert "lc1: silent: a status is retained, but" in narrow

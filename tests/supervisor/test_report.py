"""The status document; the rest of the board is in test_board."""

from __future__ import annotations

import time

from pdsno_cli.model.notices import TransportsNotice, TransportState
from pdsno_cli.supervisor.board import Board
from pdsno_cli.supervisor.report import BrokerStatus, status_report
from tests.supervisor.test_board import TOPOLOGY, ready


def test_times_are_durations():
    now = time.time()
    board = Board(TOPOLOGY)
    state = TransportState(up=False, since=now - 10, reason="refused", next_try=now + 5)
    board.update(TransportsNotice(controller_id="lc1", transports={"mqtt": state}))
    report = status_report("t", board, BrokerStatus(text="broker on 127.0.0.1:1883", port=1883))
    row = next(row for row in report["controllers"] if row["id"] == "lc1")
    shown = row["transports"]["mqtt"]
    assert (shown["up"], shown["reason"]) == (False, "refused")
    assert 9.9 <= shown["for"] <= 11
    assert 4 <= shown["next_try_in"] <= 5
    assert (report["broker"], report["broker_port"]) == ("broker on 127.0.0.1:1883", 1883)
    assert report["broker_port_v311"] is report["broker_port_v5"] is None
    assert report["broker_state"] == shown


def test_each_controller_is_a_row_in_the_order_of_the_hierarchy():
    board = Board(TOPOLOGY)
    board.update(ready("g1", epoch=7))
    report = status_report("t", board, BrokerStatus(text="in-process bus"))
    assert [row["id"] for row in report["controllers"]] == ["g1", "rc1", "lc1"]
    assert report["controllers"][0]["state"] == "ready"
    assert report["controllers"][0]["epoch"] == 7
    assert not report["ready"]
    assert report["broker_state"] is None

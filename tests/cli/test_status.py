"""The text of a status report; its exit code and JSON are in tests/e2e."""

from __future__ import annotations

import time

from pdsno_cli.cli.status import _text
from pdsno_cli.model.notices import QuarantineNotice, StateNotice, TransportsNotice, TransportState
from pdsno_cli.supervisor.board import Board
from pdsno_cli.supervisor.report import BrokerStatus, status_report
from tests.supervisor.test_board import TOPOLOGY, ready


def text(*notices):
    board = Board(TOPOLOGY)
    for notice in notices:
        board.update(notice)
    return _text(status_report("t", board, BrokerStatus(text="broker on 127.0.0.1:1883")))


def away(name, reason):
    state = TransportState(up=False, since=time.time() - 60, reason=reason)
    return (
        StateNotice(controller_id=name, state="disconnected", detail=reason),
        TransportsNotice(controller_id=name, transports={"mqtt": state}),
    )


def test_each_controller_is_a_row():
    head, titles, *rows = text(ready("g1"), ready("rc1"), ready("lc1")).splitlines()
    assert head == "t: broker on 127.0.0.1:1883"
    assert titles.split()[:5] == ["CONTROLLER", "ROLE", "REGION", "STATE", "TRANSPORT"]
    assert [row.split()[0] for row in rows] == ["g1", "rc1", "lc1"]


def test_an_empty_quarantine_has_no_column():
    assert "QUARANTINED" not in text(ready("rc1"))
    assert "QUARANTINED" in text(ready("rc1"), QuarantineNotice(controller_id="rc1", messages=1))


def test_controllers_with_the_same_reason_share_a_line():
    lines = text(*away("g1", "refused"), *away("rc1", "refused"), *away("lc1", "other"))
    shared, single = [line for line in lines.splitlines() if ": down: " in line]
    assert shared.startswith("g1, rc1: down: ")
    assert "refused (away for 60 s)" in shared
    assert single.startswith("lc1: down: ")
    assert "away for 60 s" in lines.splitlines()[0]


def test_lines_of_problems_are_at_most_80_columns_without_control_characters():
    lines = text(*away("lc1", "a\x1b[2J " + "very long reason " * 10)).splitlines()[5:]
    assert len(lines) > 1
    assert all(len(line) <= 80 for line in lines)
    assert "\x1b" not in "".join(lines)

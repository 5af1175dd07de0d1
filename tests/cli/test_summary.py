from __future__ import annotations

from dataclasses import replace

import msgspec

from pdsno_cli.cli.summary import summary
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.topology import Controller
from pdsno_cli.supervisor.board import Board
from tests.cli.test_display import CYCLE
from tests.supervisor.test_board import TOPOLOGY, commit, ready


def test_summary_counts_reports_and_devices():
    board = Board(TOPOLOGY)
    for notice in (ready("lc1"), CYCLE, commit("rc1", 2), commit("g1", 2)):
        board.update(notice)
    head, icmp, arp, _, devices, reports = summary(board).splitlines()
    assert head.split()[:3] == ["CONTROLLER", "PROTOCOL", "TARGETS"]
    assert icmp.split() == ["lc1", "icmp", "4", "3", "1.00", "s", "1", "2", "3"]
    assert arp.split()[:3] == ["arp", "4", "unavailable"]
    assert devices == "1 devices at the top, 1 of them speak SNMP"
    assert reports.startswith("reports: 1 published, 2 committed in their regions, 0 duplicates")


def test_summary_with_a_long_id_fits_80_columns_and_cuts_nothing():
    name = "local_cntl_building-seven-north-wing_001"
    assert len(name) == 40
    spec = Controller(controller_id=name, key=name, role=Role.LOCAL, region="r1")
    topology = replace(TOPOLOGY, controllers={name: spec})
    board = Board(topology)
    board.update(msgspec.structs.replace(CYCLE, controller_id=name))
    lines = summary(board).splitlines()
    assert lines[1].startswith(f"{name}  icmp")
    assert max(map(len, lines[:4])) <= 80
    assert "CYCLES" in summary(board, width=120)

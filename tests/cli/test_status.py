"""The text of a status report; its exit code and JSON are in tests/e2e."""

from __future__ import annotations

import time

from pdsno_cli.cli.status_view import status_text
from pdsno_cli.model.notices import (
    CycleNotice,
    QuarantineNotice,
    StateNotice,
    TransportsNotice,
    TransportState,
)
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.topology import Controller, Region, Topology
from pdsno_cli.supervisor.board import Board
from pdsno_cli.supervisor.report import BrokerStatus, status_report
from tests.model.test_probe_warnings import probe
from tests.supervisor.test_board import TOPOLOGY, ready


def text(*notices, topology=TOPOLOGY, width=80, **options):
    board = Board(topology)
    for notice in notices:
        board.update(notice)
    report = status_report("t", board, BrokerStatus(text="broker on 127.0.0.1:1883"))
    return status_text(report, report["controllers"], width=width, **options)


def away(name, reason):
    state = TransportState(up=False, since=time.time() - 60, reason=reason)
    return (
        StateNotice(controller_id=name, state="disconnected", detail=reason),
        TransportsNotice(controller_id=name, transports={"mqtt": state}),
    )


def test_each_controller_is_a_row():
    head, titles, *rows = text(ready("g1"), ready("rc1"), ready("lc1")).splitlines()
    assert head == "t: broker on 127.0.0.1:1883; 3/3 ready"
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


def campus(locals_=40, prefix="local_cntl_building-seven_"):
    names = [(f"{prefix}{number:03}", Role.LOCAL) for number in range(1, locals_ + 1)]
    names += [("regional_cntl_building-seven_1", Role.REGIONAL)]
    controllers = {
        name: Controller(controller_id=name, key=name, role=role, region="building-seven")
        for name, role in names
    }
    controllers["g1"] = Controller(controller_id="g1", key="g1", role=Role.GLOBAL, region=None)
    regions = {"building-seven": Region(name="building-seven")}
    return Topology(path="t.yaml", name="t", regions=regions, controllers=controllers)


def test_long_ids_are_whole_at_every_width_and_columns_give_way():
    topology = campus(2, "local_cntl_building-seven-north-wing_")
    notices = [ready(name) for name in topology.controllers]
    for width in (40, 60, 80, 100, 120, 200):
        lines = text(*notices, topology=topology, width=width).splitlines()
        assert any(line.startswith("local_cntl_building-seven-north-wing_001") for line in lines)
        assert all(len(line) <= max(width, 50) for line in lines[1:]), width
    assert "DEVICES" in text(*notices, topology=topology, width=80)


def test_wide_shows_every_column():
    titles = text(ready("rc1"), wide=True).splitlines()[1].split()
    assert titles[-6:] == [
        "COMMITTED",
        "WAITING",
        "QUARANTINED",
        "DUPLICATES",
        "REFUSED",
        "RESTARTS",
    ]
    assert "PID" in titles


def test_a_column_of_zeros_is_left_out():
    assert "RESTARTS" not in text(ready("rc1"))


def test_more_controllers_than_fit_are_counted_by_region_and_the_sick_are_named():
    topology = campus()
    sick = "local_cntl_building-seven_017"
    notices = [ready(name) for name in topology.controllers if name != sick]
    lines = text(*notices, *away(sick, "refused"), topology=topology, height=24).splitlines()
    assert len(lines) < 24
    assert any(line.split()[:2] == ["building-seven", "40/41"] for line in lines)
    assert any(line.startswith(sick) and "disconnected" in line for line in lines)
    assert any(line.startswith(f"{sick}: down: refused") for line in lines)
    assert not any("_018" in line for line in lines)


def test_a_roll_up_of_many_sick_controllers_fits_the_terminal():
    topology = campus(200)
    notices = [notice for name in topology.controllers for notice in away(name, "refused")]
    lines = text(*notices, topology=topology, height=24).splitlines()
    assert len(lines) <= 24
    assert any("more are not ready" in line for line in lines)


def test_a_roll_up_of_many_regions_shows_those_with_problems_first():
    names = [f"r{number:03}" for number in range(300)]
    controllers = {
        f"lc{name}": Controller(controller_id=f"lc{name}", key=name, role=Role.LOCAL, region=name)
        for name in names
    }
    topology = Topology(
        path="t.yaml",
        name="t",
        regions={name: Region(name=name) for name in names},
        controllers=controllers,
    )
    notices = [ready(name) for name in controllers if name != "lcr299"]
    lines = text(*notices, *away("lcr299", "x"), topology=topology, height=24).splitlines()
    assert len(lines) <= 24
    assert lines[2].startswith("r299")
    assert any("more regions, all ready" in line for line in lines)


def test_without_a_terminal_every_controller_is_shown():
    topology = campus()
    lines = text(*(ready(name) for name in topology.controllers), topology=topology).splitlines()
    assert len(lines) == 44


def test_warnings_are_below_the_table_and_share_a_line():
    topology = campus(5)
    cycles = [
        CycleNotice(
            controller_id=name,
            cycle=1,
            outcome="complete",
            seconds=0.1,
            probes=(probe("icmp", number), probe("snmp", 0)),
            new=0,
            updated=0,
            inactive=0,
            active=number,
        )
        for number, name in enumerate(topology.controllers, 1)
        if "local" in name
    ]
    everyone = [ready(name) for name in topology.controllers]
    for height in (None, 8):
        lines = text(*everyone, *cycles, topology=topology, height=height).splitlines()
        warning = " ".join(" ".join(lines).split()).partition(" and 2 more: warning: ")[2]
        assert warning.startswith("snmp: no answer to any community; check")
        assert max(map(len, lines)) <= 80


def test_the_next_start_of_a_controller_that_ended_is_told():
    board = Board(TOPOLOGY)
    row = board.rows["lc1"]
    row.state, row.detail = "restarting", "was killed by signal 9"
    row.starts_at = time.monotonic() + 7.4
    report = status_report("t", board, BrokerStatus(text="broker"))
    text = status_text(report, report["controllers"], width=80)
    assert "lc1: down: was killed by signal 9 (next start in 7 s)" in text


def test_the_count_of_the_ready_is_never_cut_in_two():
    for width in range(20, 60):
        found = text(ready("g1"), ready("rc1"), ready("lc1"), width=width)
        assert "3/3 ready" in found, width

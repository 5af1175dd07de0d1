from __future__ import annotations

import json
from dataclasses import replace

from pdsno_cli.model.health import UNSEEN
from pdsno_cli.model.notices import (
    CommitNotice,
    CycleNotice,
    PeerNotice,
    StateNotice,
    TransportsNotice,
    TransportState,
)
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.topology import Controller, Region, Topology
from pdsno_cli.supervisor import board as board_module
from pdsno_cli.supervisor.board import Board
from pdsno_cli.supervisor.report import BrokerStatus, status_report

TOPOLOGY = Topology(
    path="t.yaml",
    name="t",
    regions={"r1": Region(name="r1")},
    controllers={
        key: Controller(controller_id=key, key=key, role=role, region=region)
        for key, role, region in (
            ("lc1", Role.LOCAL, "r1"),
            ("rc1", Role.REGIONAL, "r1"),
            ("g1", Role.GLOBAL, None),
        )
    },
)


def commit(who, cycle, epoch=5):
    return CommitNotice(
        controller_id=who, cycles={"lc1": (epoch, cycle)}, reports=1, duplicates=0, active=1
    )


def heard(peer, *, alive, reason=None, epoch=5):
    return PeerNotice(
        controller_id="rc1",
        peer=peer,
        alive=alive,
        role=Role.LOCAL,
        region="r1",
        epoch=epoch,
        reason=reason,
    )


def ready(who, epoch=5):
    return StateNotice(controller_id=who, state="ready", epoch=epoch, transport="mqtt")


def test_rows_stand_in_the_order_of_the_hierarchy():
    assert list(Board(TOPOLOGY).rows) == ["g1", "rc1", "lc1"]


def test_ready_only_when_every_controller_is():
    board = Board(TOPOLOGY)
    board.update(ready("g1"))
    board.update(ready("rc1"))
    assert not board.ready()
    board.update(ready("lc1"))
    assert board.ready()


def test_committed_everywhere_counts_the_top_and_not_the_region():
    board = Board(TOPOLOGY)
    board.update(ready("lc1"))
    board.update(commit("rc1", 2))
    assert not board.committed_everywhere(2)
    board.update(commit("g1", 2))
    assert board.committed_everywhere(2)


def test_committed_everywhere_does_not_count_cycles_of_an_earlier_run():
    board = Board(TOPOLOGY)
    board.update(ready("lc1", epoch=6))
    board.update(commit("g1", 40, epoch=5))
    assert not board.committed_everywhere(1)


def test_take_cycle_counts_what_is_new():
    board = Board(TOPOLOGY)
    for cycle, new in ((1, 3), (2, 1)):
        board.update(
            CycleNotice(
                controller_id="lc1",
                cycle=cycle,
                outcome="complete",
                seconds=1.0,
                probes=(),
                new=new,
                updated=0,
                inactive=0,
                active=4,
            )
        )
    assert (board.rows["lc1"].new, board.rows["lc1"].sent, board.rows["lc1"].devices) == (4, 2, 4)


AWAY = TransportState(up=False, since=100.0, reason="connection refused", next_try=130.0)
UP = TransportState(up=True, since=90.0)


def all_ready():
    board = Board(TOPOLOGY)
    for name in board.rows:
        board.update(ready(name))
        board.update(TransportsNotice(controller_id=name, transports={"mqtt": UP}))
    return board


def test_a_controller_that_its_parent_marks_down_is_down_until_a_heartbeat_arrives():
    board = all_ready()
    row = board.rows["lc1"]
    board.update(heard("lc1", alive=False, reason="silence"))
    assert board.health(row) == ("down", "rc1 marks it down (silence)")
    assert not board.well
    board.update(heard("lc1", alive=True))
    assert board.health(row).level == "ready"
    assert board.well


def test_the_notice_of_a_parent_that_is_not_ready_does_not_count():
    board = all_ready()
    board.update(heard("lc1", alive=False, reason="silence"))
    board.update(StateNotice(controller_id="rc1", state="disconnected"))
    assert board.health(board.rows["lc1"]).level == "ready"


def test_a_controller_without_received_heartbeats_is_degraded_after_three_of_them(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(board_module.time, "monotonic", lambda: now[0])
    board = all_ready()
    now[0] += 10.0
    assert board.well
    now[0] += 10.0
    assert board.health(board.rows["lc1"]) == ("degraded", UNSEEN)
    assert board.health(board.rows["g1"]).level == "ready"  # nobody is above
    board.update(heard("lc1", alive=True))
    assert board.health(board.rows["lc1"]).level == "ready"


def test_the_broker_is_up_for_one_and_away_since_the_first_lost_it():
    board = Board(TOPOLOGY)
    assert board.broker() is None
    later = TransportState(up=False, since=110.0, reason="no answer", next_try=120.0)
    board.update(TransportsNotice(controller_id="g1", transports={"mqtt": later}))
    board.update(TransportsNotice(controller_id="lc1", transports={"mqtt": AWAY}))
    assert board.broker() == TransportState(
        up=False, since=100.0, reason="connection refused", next_try=120.0
    )
    board.update(TransportsNotice(controller_id="rc1", transports={"mqtt": UP}))
    assert board.broker().up


def test_status_overrules_what_controllers_see_where_the_broker_s_process_is_gone():
    ended = TransportState(up=False, since=100.0, reason="the broker ended", next_try=None)
    report = status_report("t", all_ready(), BrokerStatus(text="embedded broker", state=ended))
    assert report["broker_state"]["up"] is False
    assert report["broker_state"]["reason"] == "the broker ended"
    assert status_report("t", all_ready(), BrokerStatus(text="broker"))["broker_state"]["up"]


def test_a_controller_of_another_file_is_shown_as_its_parent_sees_it():
    board = Board(TOPOLOGY)
    for name in board.rows:
        board.update(ready(name))
    board.update(heard("lc9", alive=True))
    shown = status_report("t", board, BrokerStatus(text="b"))["controllers"]
    assert [row["id"] for row in shown] == ["g1", "rc1", "lc1", "lc9"]
    assert (shown[-1]["health"], shown[-1]["region"], shown[-1]["pid"]) == ("ready", "r1", None)
    assert board.well
    board.update(heard("lc9", alive=False, reason="silence"))
    assert board.health(board.others["lc9"]).level == "down"
    assert board.ready()
    assert not board.well
    board.update(heard("lc9", alive=False, reason="stop"))
    assert board.well
    board.update(heard("lc9", alive=False, reason="forgotten"))
    assert [row.controller_id for row in board.shown] == ["g1", "rc1", "lc1"]


def another(**changes):
    """The same topology with other controllers: id, role and region; None for one that is gone."""
    controllers = dict(TOPOLOGY.controllers)
    for name, place in changes.items():
        if place is None:
            del controllers[name]
        else:
            role, region = place
            controllers[name] = Controller(
                controller_id=name, key=name, role=role, region=region, heartbeat=1.0
            )
    return replace(TOPOLOGY, controllers=controllers)


def test_reconfigure_keeps_the_rows_that_stay_and_orders_the_new_ones():
    board = all_ready()
    kept = board.rows["lc1"]
    board.reconfigure(another(lc0=(Role.LOCAL, "r1"), rc1=(Role.REGIONAL, "r2")))
    assert list(board.rows) == ["g1", "rc1", "lc1", "lc0"]
    assert board.rows["lc1"] is kept
    assert board.rows["rc1"].state == "waiting"  # it is another one, in another region
    assert not board.ready()
    board.reconfigure(another(lc1=None))
    assert list(board.rows) == ["g1", "rc1"]


def test_reconfigure_takes_a_controller_of_another_file_over():
    board = all_ready()
    board.update(heard("lc7", alive=True))
    assert "lc7" in board.others
    board.reconfigure(another(lc7=(Role.LOCAL, "r1")))
    assert not board.others
    assert board.rows["lc7"].state == "waiting"


def test_healthy_is_ready_and_heard_by_a_parent():
    board = Board(TOPOLOGY)
    for name in ("g1", "rc1", "lc1"):
        board.update(ready(name))
    assert board.is_healthy("g1")
    assert not board.is_healthy("lc1")
    board.update(heard("lc1", alive=True))
    assert board.is_healthy("lc1")
    board.update(heard("lc1", alive=False, reason="silence"))
    assert not board.is_healthy("lc1")


def test_what_is_dumped_is_loaded():
    board = all_ready()
    board.update(heard("lc7", alive=True))
    board.update(commit("rc1", 3))
    other = Board(TOPOLOGY)
    other.load(json.loads(json.dumps(board.dump("a broker"))))
    assert other.rows == board.rows
    assert other.others == board.others


def test_a_parent_may_be_read_before_the_new_process_that_it_receives():
    board = Board(TOPOLOGY)
    for who in ("g1", "rc1", "lc1"):
        board.update(ready(who))
    board.update(heard("lc1", alive=True))
    assert board.is_healthy("lc1")
    board.update(heard("lc1", alive=True, epoch=6))
    board.update(StateNotice(controller_id="lc1", state="connecting", epoch=6))
    board.update(ready("lc1", epoch=6))
    assert board.is_healthy("lc1")


def test_what_a_parent_knew_of_an_earlier_process_does_not_count():
    board = Board(TOPOLOGY)
    for who in ("g1", "rc1", "lc1"):
        board.update(ready(who))
    board.update(heard("lc1", alive=False, reason="will"))
    assert board.health(board.rows["lc1"]).level == "down"
    board.update(StateNotice(controller_id="lc1", state="connecting", epoch=6))
    board.update(ready("lc1", epoch=6))
    assert board.health(board.rows["lc1"]).level == "ready"
    assert not board.is_healthy("lc1")
    board.update(heard("lc1", alive=True, epoch=6))
    assert board.is_healthy("lc1")

from __future__ import annotations

from pdsno_cli.model.notices import CommitNotice, CycleNotice, StateNotice
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.topology import Controller, Region, Topology
from pdsno_cli.supervisor.board import Board

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


def ready(who, epoch=5):
    return StateNotice(controller_id=who, state="ready", epoch=epoch, transport="mqtt")


def test_rows_stand_in_the_order_of_the_hierarchy():
    assert list(Board(TOPOLOGY).rows) == ["g1", "rc1", "lc1"]


def test_ready_only_when_every_controller_is():
    board = Board(TOPOLOGY)
    board.take(ready("g1"))
    board.take(ready("rc1"))
    assert not board.ready()
    board.take(ready("lc1"))
    assert board.ready()


def test_committed_everywhere_asks_the_top_and_not_the_region():
    board = Board(TOPOLOGY)
    board.take(ready("lc1"))
    board.take(commit("rc1", 2))
    assert not board.committed_everywhere(2)
    board.take(commit("g1", 2))
    assert board.committed_everywhere(2)


def test_committed_everywhere_does_not_count_cycles_of_an_earlier_run():
    board = Board(TOPOLOGY)
    board.take(ready("lc1", epoch=6))
    board.take(commit("g1", 40, epoch=5))
    assert not board.committed_everywhere(1)


def test_take_cycle_counts_what_is_new():
    board = Board(TOPOLOGY)
    for cycle, new in ((1, 3), (2, 1)):
        board.take(
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

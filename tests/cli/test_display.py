from __future__ import annotations

from pdsno_cli.cli import display
from pdsno_cli.cli.display import PlainLines
from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.notices import CycleNotice, StateNotice, WarningNotice
from pdsno_cli.supervisor.board import Board
from tests.supervisor.test_board import TOPOLOGY

CYCLE = CycleNotice(
    controller_id="lc1", cycle=2, outcome="partial", seconds=1.25, active=3, snmp=1, new=2,
    updated=1, inactive=0,
    probes=(
        ProbeResult(protocol="icmp", targets=4, answers=3, seconds=1.0),
        ProbeResult(protocol="arp", targets=4, answers=0, seconds=0.0, error="needs root"),
    ),
)  # fmt: skip


def lines(*events):
    written = []
    plain = PlainLines(TOPOLOGY, written.append)
    plain.on_start(Board(TOPOLOGY), "in-process bus")
    for event in events:
        plain.on_notice(event)
    return written[1:]


def state(name, **kwargs):
    return StateNotice(controller_id="lc1", state=name, **kwargs)


def test_each_new_state_is_one_line():
    assert lines(
        state("connecting"),
        state("connecting", detail="again"),
        state("ready", epoch=1, transport="http", detail="hidden"),
        state("disconnected", detail="refused"),
    ) == ["lc1: connecting", "lc1: ready over http", "lc1: disconnected (refused)"]


def test_a_cycle_names_the_answers_of_each_available_probe():
    assert lines(CYCLE) == [
        "lc1: cycle 2 partial in 1.2 s (icmp 3/4): 3 devices, 2 new, 1 updated, 0 inactive"
    ]


def test_with_many_controllers_only_problems_are_written(monkeypatch):
    monkeypatch.setattr(display, "MANY", 2)
    warning = WarningNotice(controller_id="lc1", text="slow")
    assert lines(CYCLE, state("ready"), state("failed", detail="bad key"), warning) == [
        "lc1: failed (bad key)",
        "lc1: warning: slow",
    ]


def test_messages_and_readiness_are_written():
    written = []
    plain = PlainLines(TOPOLOGY, written.append)
    plain.on_message("restarting the broker")
    plain.on_ready(1.25)
    assert written == ["restarting the broker", "t: all 3 controllers ready in 1.2 s"]

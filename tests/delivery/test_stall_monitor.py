"""What is done against a transport that is connected and carries nothing."""

from __future__ import annotations

import pytest

from pdsno_cli.delivery import stall_monitor
from pdsno_cli.delivery.stall_monitor import StallMonitor
from tests.controllers.clock import Clock

PATIENCE = 10.0


class Play(Clock):
    """Transports with or without another one, an outbox that stalls, and a clock."""

    def __init__(self, monkeypatch, *, other: bool) -> None:
        super().__init__()
        monkeypatch.setattr(stall_monitor.time, "monotonic", self.monotonic)
        self.other = other
        self.active = "mqtt"
        self.standing: tuple[str, float] | None = None
        self.done: list[str] = []
        self.monitor = StallMonitor(
            oldest_stall=lambda: self.standing,
            failover=self,
            scheduler=self,
            on_change=lambda stream: self.done.append(f"stalled {stream}"),
            patience=PATIENCE,
        )

    def reconnect(self, reason: str) -> None:
        self.done.append("reconnect")

    def leave(self, reason: str) -> bool:
        self.done.append("leave")
        return self.other


@pytest.fixture
def play(request, monkeypatch):
    made = Play(monkeypatch, other=request.param)
    made.standing = "discovery/r/lc", made.monotonic()
    made.monitor.watch()
    return made


@pytest.mark.parametrize("play", [True], indirect=True)
def test_reconnects_then_leaves_then_says_so_then_begins_again(play):
    play.wait(PATIENCE * 0.9)
    assert play.done == []
    play.wait(PATIENCE * 0.5)
    assert play.done == ["reconnect"]
    play.wait(PATIENCE)
    assert play.done == ["reconnect", "leave"]
    play.wait(PATIENCE * 1.2)
    assert play.done == ["reconnect", "leave", "stalled discovery/r/lc"]
    play.wait(PATIENCE * 4)
    assert play.done[3:] == ["reconnect"]


@pytest.mark.parametrize("play", [False], indirect=True)
def test_without_another_link_it_is_said_at_once(play):
    play.wait(PATIENCE * 2.6)
    assert play.done == ["reconnect", "leave", "stalled discovery/r/lc"]


@pytest.mark.parametrize("play", [False], indirect=True)
def test_an_acknowledgement_ends_it_and_is_told_once(play):
    play.wait(PATIENCE * 2.6)
    play.standing = "discovery/r/lc", play.monotonic()
    play.wait(PATIENCE * 0.6)
    assert play.done[3:] == ["stalled None"]
    play.standing = None
    play.wait(PATIENCE)
    assert play.done[4:] == []


@pytest.mark.parametrize("play", [True], indirect=True)
def test_nothing_is_done_while_nothing_carries(play):
    play.active = None
    play.wait(PATIENCE * 5)
    assert play.done == []

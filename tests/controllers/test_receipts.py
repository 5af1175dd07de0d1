"""When which stream is acknowledged, by a clock of the test's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pdsno_cli.controllers import receipts
from pdsno_cli.controllers.receipts import ACK_EVERY, Receipts
from pdsno_cli.model.topics import TopicMap
from tests.controllers.clock import Clock

RESENT = 3.75  # seconds after which, at the earliest, a sender sends again


class World(Clock):
    """The receipts of a receiver, and what they publish: topic, position and time."""

    def __init__(self, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr(receipts.time, "monotonic", self.monotonic)
        self.sent: list[tuple[str, tuple[int, int], float]] = []
        self.receipts = Receipts(
            SimpleNamespace(
                publisher=self, scheduler=self, topology=SimpleNamespace(topics=TopicMap())
            )
        )

    def publish(self, topic, ack) -> None:
        self.sent.append((topic.rpartition("/")[2], (ack.epoch, ack.seq), self.now))

    def commit(self, sender, seq, messages=1) -> None:
        self.receipts.committed(sender, f"discovery/r/{sender}", (1, seq), messages)


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_what_comes_alone_is_acknowledged_at_once(world):
    world.commit("lc1", 1)
    world.wait(0)
    assert world.sent == [("lc1", (1, 1), world.now)]


def test_what_comes_in_numbers_is_acknowledged_together(world):
    world.commit("lc1", 1)
    world.wait(0)
    for seq in range(2, 10):
        world.commit("lc1", seq)
    world.wait(0.02)
    assert [number for _, number, _ in world.sent] == [(1, 1), (1, 9)]


@pytest.mark.parametrize("senders", [5, 40, 80])
def test_few_who_report_all_the_time_hear_soon_and_not_more_often_than_they_need(world, senders):
    last = dict.fromkeys((f"lc{number}" for number in range(senders)), world.now)
    for seq in range(200):
        for sender in last:
            world.commit(sender, seq)
        world.wait(0.01)
    for sender, _, at in world.sent:
        assert at - last[sender] < max(0.02, senders / 400) + 0.011
        last[sender] = at
    assert len(world.sent) < 2.1 * 400  # in two seconds


@pytest.mark.parametrize("senders", [100, 1000, 10_000])
def test_a_crowd_is_acknowledged_before_any_of_it_sends_again(world, senders):
    for number in range(senders):
        world.commit(f"lc{number}", 1)
    begun = world.now
    world.wait(RESENT)
    assert len({sender for sender, _, _ in world.sent}) == len(world.sent) == senders
    assert world.sent[-1][2] - begun < RESENT - 1  # and a second for what the commit took


@pytest.mark.parametrize("busy", [0.0, 0.45])
def test_a_crowd_that_never_ends_is_acknowledged_in_turn_and_seldom(world, busy):
    """Also where a flood lets timers have their turn but twice a second."""
    begun = world.now
    for second in range(20):
        for number in range(1000):
            world.commit(f"lc{number}", second + 1)
        world.now += busy
        world.wait(0.5 - busy)
    last: dict[str, float] = {}
    for sender, _, at in world.sent:
        assert at - last.get(sender, begun) < RESENT - 1
        last[sender] = at
    assert len(last) == 1000
    assert len(world.sent) < 6000  # 600 a second: 1,000 once every 1.7 s or less often


def test_who_would_run_out_of_its_window_does_not_wait_for_its_turn(world):
    for number in range(1000):
        world.commit(f"lc{number}", 1)
    world.commit("busy", 300, ACK_EVERY)
    world.wait(0.1)
    assert "busy" in {sender for sender, _, _ in world.sent}
    assert len(world.sent) < 100

"""When which stream is acknowledged, by a clock of the test's own."""

from __future__ import annotations

from bisect import bisect_left
from types import SimpleNamespace

import pytest

from pdsno_cli.delivery import ack_scheduler
from pdsno_cli.delivery.ack_scheduler import (
    ACK_DELAY,
    ACK_EVERY,
    REQUEST_DELAY,
    AckScheduler,
)
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.nib.offsets import Offset
from tests.controllers.clock import Clock

COST = 45e-6  # seconds that one acknowledgement takes, as measured
RESENT = 3.75  # seconds after which, at the earliest, a sender sends again


class World(Clock):
    """The acknowledgements of a receiver: sender, position and time; each takes ``COST``."""

    def __init__(self, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr(ack_scheduler.time, "monotonic", self.monotonic)
        monkeypatch.setattr(ack_scheduler.time, "thread_time", lambda: COST * len(self.sent))
        self.sent: list[tuple[str, tuple[int, int], float]] = []
        self.acks = AckScheduler(
            SimpleNamespace(
                publisher=self, scheduler=self, topology=SimpleNamespace(topics=TopicMap())
            )
        )

    def publish(self, topic, ack) -> None:
        self.now += COST
        self.sent.append((topic.rpartition("/")[2], (ack.epoch, ack.seq), self.now))

    def commit(self, sender, seq, messages=1) -> None:
        self.acks.committed(sender, f"discovery/r/{sender}", Offset(1, seq), messages)

    @property
    def numbers(self) -> list[tuple[int, int]]:
        return [number for _, number, _ in self.sent]


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def most_in(world, seconds) -> int:
    """Return how many acknowledgements of rounds were published within so many seconds, at most."""
    times = [at for _, _, at in world.sent]
    return max(bisect_left(times, at + seconds) - index for index, at in enumerate(times))


def test_a_message_that_comes_alone_is_acknowledged_at_once(world):
    world.commit("lc1", 1)
    world.wait(COST)
    assert world.numbers == [(1, 1)]


def test_messages_that_come_soon_after_another_are_acknowledged_together(world):
    world.commit("lc1", 1)
    world.wait(COST)
    for seq in range(2, 10):
        world.commit("lc1", seq)
    world.wait(2 * ACK_DELAY)
    assert world.numbers == [(1, 1), (1, 9)]


def test_an_older_number_does_not_take_back_a_newer_one(world):
    world.commit("lc1", 5)
    world.commit("lc1", 3)  # a duplicate
    world.wait(2 * ACK_DELAY)
    assert world.numbers == [(1, 5)]


def test_a_stream_with_many_messages_does_not_wait_for_the_next_round(world):
    for number in range(1000):
        world.commit(f"lc{number}", 1)
    world.commit("busy", 40, ACK_EVERY - 1)
    assert "busy" not in {sender for sender, _, _ in world.sent}
    world.commit("busy", 41)
    assert world.sent[-1][:2] == ("busy", (1, 41))
    world.wait(RESENT)
    assert [number for sender, number, _ in world.sent if sender == "busy"] == [(1, 41)]


@pytest.mark.parametrize("senders", [1, 40, 1000, 10_000])
def test_acknowledging_takes_a_twentieth_of_the_time_however_many_senders_there_are(world, senders):
    begun, round_ = world.now, senders * COST
    spread = round_ + senders / ACK_EVERY * ACK_DELAY  # of one round
    for second in range(60):
        for number in range(senders):
            world.commit(f"lc{number}", second + 1)
        world.wait(0.5)
    assert len(world.sent) * COST <= (world.now - begun) / 20 + 2 * round_
    assert most_in(world, ACK_DELAY / 2) <= ACK_EVERY
    last: dict[str, float] = {}
    for sender, _, at in world.sent:
        assert at - last.get(sender, begun) <= max(21 * round_, 0.5) + 0.5 + 2 * spread
        last[sender] = at
    assert len(last) == senders


@pytest.mark.parametrize("senders", [100, 1000, 10_000])
def test_a_crowd_is_acknowledged_before_any_of_it_sends_again(world, senders):
    begun = world.now
    for number in range(senders):
        world.commit(f"lc{number}", 1)
    world.wait(RESENT)
    assert len({sender for sender, _, _ in world.sent}) == len(world.sent) == senders
    assert world.sent[-1][2] - begun < RESENT - 1  # and a second for the commit


def test_a_freeze_within_a_round_does_not_delay_the_next(world, monkeypatch):
    publish = world.publish

    def frozen(topic, ack) -> None:
        world.now += 10
        publish(topic, ack)

    monkeypatch.setattr(world, "publish", frozen)
    world.commit("lc1", 1)
    world.wait(0)
    monkeypatch.setattr(world, "publish", publish)
    world.now += 10  # the clock of the test went back with the end of its wait
    world.commit("lc1", 2)
    world.wait(2 * ACK_DELAY)
    assert world.numbers == [(1, 1), (1, 2)]


def test_a_gap_is_requested_once_it_has_lasted(world, monkeypatch):
    requests = []
    monkeypatch.setattr(world, "publish", lambda topic, payload: requests.append((topic, payload)))
    world.acks.missing("lc1", "discovery/r/lc1", Offset(1, 4))
    world.acks.missing("lc1", "discovery/r/lc1", Offset(1, 4))
    world.wait(REQUEST_DELAY)
    ((topic, command),) = requests
    assert topic == "pdsno/command/lc1"
    assert (command.order, command.epoch, command.seq) == ("resend", 1, 4)


def test_a_gap_that_is_filled_meanwhile_is_not_requested(world):
    world.acks.missing("lc1", "discovery/r/lc1", Offset(1, 4))
    world.commit("lc1", 9)
    world.wait(REQUEST_DELAY)
    assert world.numbers == [(1, 9)]


def test_other_numbers_are_requested_instead_of_a_resend(world, monkeypatch):
    orders = []
    monkeypatch.setattr(world, "publish", lambda _, payload: orders.append(payload.order))
    world.acks.missing("lc1", "discovery/r/lc1", Offset(1, 4))
    world.acks.unfit("lc1", "discovery/r/lc1", Offset(1, 4))
    world.wait(REQUEST_DELAY)
    assert orders == ["renumber"]

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers import retained
from pdsno_cli.controllers.retained import BUDGET, CHECK_DELAY, WINDOW, RetainedPolicy
from pdsno_cli.model.topics import TopicMap
from tests.controllers.clock import Clock


class World(Clock):
    """The watch over one topic, what it publishes and what it announces."""

    def __init__(self, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr(retained.time, "monotonic", self.monotonic)
        self.published = 0
        self.events = []
        context = SimpleNamespace(
            scheduler=self,
            publisher=self,
            topology=SimpleNamespace(topics=TopicMap()),
            spec=SimpleNamespace(controller_id="rc", region="r"),
        )
        self.watch = RetainedPolicy(context, "pdsno/policy/r", self._publish)

    def _publish(self) -> None:
        self.published += 1

    @contextmanager
    def unit(self):
        yield SimpleNamespace(stage=lambda _, event, **__: self.events.append(event))

    def see(self, foreign) -> None:
        self.watch.arrived(foreign)
        self.wait(CHECK_DELAY)


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def test_what_is_ours_is_left_as_it_is(world):
    world.see(None)
    assert (world.published, world.events) == (0, [])


def test_what_is_foreign_is_published_over_and_announced(world):
    world.see("altered: it was")
    assert world.published == 1
    (event,) = world.events
    assert (event.event, event.severity, event.detail["topic"]) == (
        "policy_restored", "warning", "pdsno/policy/r",
    )  # fmt: skip


def test_what_is_ours_again_before_the_look_needs_nothing(world):
    world.watch.arrived("an older version")
    world.see(None)
    assert world.published == 0


def test_two_publishers_do_not_fight_for_ever(world):
    for _ in range(50):
        world.see("theirs")
    assert world.published == BUDGET
    assert [event.severity for event in world.events] == ["warning"] * (BUDGET - 1) + ["error"]
    world.wait(WINDOW)
    world.see("theirs")
    assert world.published == BUDGET + 1

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import Command, Envelope
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.runtime.orders import WINDOW, Orders
from tests.runtime.test_authority import CONTROLLERS, TOPOLOGY

NOW = 1_800_000_000.0
DISCOVER = Command(order="discover")


class World:
    """One controller as Orders sees it: what it carried out, and the events it staged."""

    def __init__(self, controller_id: str = "lc1") -> None:
        self.obeyed: list[str] = []
        self.events: list[tuple] = []
        self.refuses: RefusedError | None = None
        self.spec = CONTROLLERS[controller_id]
        self.topology = TOPOLOGY
        self.publisher = self
        self.store = self
        self.now = NOW
        self.orders = Orders(self, self, self.open, clock=lambda: self.now)

    def open(self, topic, data):
        raise AssertionError("no message is opened here")

    def answered(self, message_id):
        return message_id == "answered in an earlier life"

    def obey(self, envelope, command) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.obeyed.append(envelope.message_id)

    @contextmanager
    def unit(self):
        def stage(topic, event, *, answers):
            self.events.append((topic, event, answers))

        yield SimpleNamespace(stage=stage)

    def take(self, *, message_id: str = "m1", at: float | str = NOW, sender: str = "operator"):
        when = at if isinstance(at, str) else timestamp(at)
        envelope = Envelope(
            message_id=message_id,
            message_type="command",
            schema_version="1.0",
            sender_id=sender,
            recipient_id="broadcast",
            timestamp=when,
            stream="command/lc1",
            epoch=1,
            seq=1,
            payload=DISCOVER,
        )
        self.orders.take(envelope, DISCOVER)

    def refused(self, reason: Reason, **order) -> None:
        with pytest.raises(RefusedError) as caught:
            self.take(**order)
        assert caught.value.reason is reason


@pytest.mark.parametrize("skew", [0.0, WINDOW - 1, 1 - WINDOW])
def test_take_within_the_window_is_carried_out(skew):
    world = World()
    world.take(at=NOW + skew)
    assert world.obeyed == ["m1"]
    assert world.events == []


@pytest.mark.parametrize(
    ("skew", "words"), [(3600, "3600 s ahead of"), (-3600, "3600 s behind"), (61, "61 s ahead")]
)
def test_take_beyond_the_window_is_refused_with_an_event_that_names_the_skew(skew, words):
    world = World()
    world.refused(Reason.UNTIMELY, at=NOW + skew)
    assert world.obeyed == []
    ((topic, event, answers),) = world.events
    assert (topic, answers) == ("pdsno/events/r1", "m1")
    assert (event.event, event.subject, event.region) == ("command_refused", "lc1", "r1")
    assert event.detail["skew"] == skew
    assert (event.detail["reason"], event.detail["sender"]) == ("untimely", "operator")
    assert words in event.detail["why"]


def test_take_at_the_top_tells_of_a_refusal_on_the_system_topic():
    world = World("g1")
    world.refused(Reason.UNTIMELY, at=NOW - 3600)
    assert world.events[0][0] == "pdsno/events/system"


def test_take_again_is_dropped_without_another_event():
    world = World()
    world.take()
    world.refused(Reason.REPLAYED)
    world.refused(Reason.UNTIMELY, message_id="old", at=NOW - 3600)
    world.refused(Reason.REPLAYED, message_id="old", at=NOW - 3600)
    world.take(message_id="m2")
    assert world.obeyed == ["m1", "m2"]
    assert len(world.events) == 1


def test_take_of_what_was_answered_before_a_restart_is_refused():
    world = World()
    world.refused(Reason.REPLAYED, message_id="answered in an earlier life")
    assert (world.obeyed, world.events) == ([], [])


def test_take_of_a_replay_after_the_window_is_refused_in_any_case():
    world = World()
    world.take()
    world.now += WINDOW + 1
    world.refused(Reason.REPLAYED)


@pytest.mark.parametrize(("sender", "allowed"), [("g1", True), ("rc1", True), ("lc1", False),
                                                 ("stranger", False)])  # fmt: skip
def test_take_only_from_operators_and_parents(sender, allowed):
    world = World()
    if allowed:
        world.take(sender=sender)
    else:
        world.refused(Reason.WRONG_TOPIC, sender=sender)
    assert bool(world.obeyed) is allowed


def test_take_of_what_the_role_refuses_is_told_by_an_event():
    world = World()
    world.refuses = RefusedError(Reason.WRONG_TOPIC, "lc1 publishes no policy")
    world.refused(Reason.WRONG_TOPIC)
    assert world.events[0][1].detail["why"] == "lc1 publishes no policy"


@pytest.mark.parametrize("text", ["yesterday", "2026-01-02T03:04:05"])
def test_take_without_a_time_is_refused(text):
    World().refused(Reason.UNPARSABLE, at=text)

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.delivery.commands import WINDOW, CommandHandler
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import Command, Envelope
from pdsno_cli.model.refusals import Reason, RefusedError
from tests.runtime.test_acl import CONTROLLERS, TOPOLOGY

NOW = 1_800_000_000.0
DISCOVER = Command(order="discover")


class World:
    """One controller as a command handler needs it: what it executed, and the events it staged."""

    def __init__(self, controller_id: str = "lc1") -> None:
        self.executed: list[str] = []
        self.events: list[tuple] = []
        self.refuses: RefusedError | None = None
        self.spec = CONTROLLERS[controller_id]
        self.topology = TOPOLOGY
        self.publisher = self
        self.store = self
        self.now = NOW
        self.commands = CommandHandler(
            endpoint=self,
            inbox=None,
            consumer=self,
            open_message=self.open,
            clock=lambda: self.now,
        )

    def open(self, topic, data):
        raise AssertionError("no message is opened here")

    def answered(self, message_id):
        return message_id == "answered in an earlier life"

    def execute(self, order, command) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.executed.append(order.message_id)

    @contextmanager
    def unit(self):
        def stage(topic, event, *, answers):
            self.events.append((topic, event, answers))

        yield SimpleNamespace(stage=stage)

    def give(self, *, message_id: str = "m1", at: float | str = NOW, sender: str = "operator"):
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
        self.commands.handle(envelope, DISCOVER)

    def refused(self, reason: Reason, **order) -> None:
        with pytest.raises(RefusedError) as caught:
            self.give(**order)
        assert caught.value.reason is reason


@pytest.mark.parametrize("skew", [0.0, WINDOW - 1, 1 - WINDOW])
def test_a_command_within_the_window_is_executed(skew):
    world = World()
    world.give(at=NOW + skew)
    assert world.executed == ["m1"]
    assert world.events == []


@pytest.mark.parametrize(
    ("skew", "words"), [(3600, "3600 s ahead of"), (-3600, "3600 s behind"), (61, "61 s ahead")]
)
def test_a_command_beyond_the_window_is_refused_with_an_event_that_names_the_skew(skew, words):
    world = World()
    world.refused(Reason.UNTIMELY, at=NOW + skew)
    assert world.executed == []
    ((topic, event, answers),) = world.events
    assert (topic, answers) == ("pdsno/events/r1", "m1")
    assert (event.event, event.subject, event.region) == ("command_refused", "lc1", "r1")
    assert event.detail["skew"] == skew
    assert (event.detail["reason"], event.detail["sender"]) == ("untimely", "operator")
    assert words in event.detail["why"]


def test_the_global_controller_announces_a_refusal_on_the_system_topic():
    world = World("g1")
    world.refused(Reason.UNTIMELY, at=NOW - 3600)
    assert world.events[0][0] == "pdsno/events/system"


def test_a_repeated_command_is_refused_without_another_event():
    world = World()
    world.give()
    world.refused(Reason.REPLAYED)
    world.refused(Reason.UNTIMELY, message_id="old", at=NOW - 3600)
    world.refused(Reason.REPLAYED, message_id="old", at=NOW - 3600)
    world.give(message_id="m2")
    assert world.executed == ["m1", "m2"]
    assert len(world.events) == 1


def test_a_command_answered_before_a_restart_is_refused():
    world = World()
    world.refused(Reason.REPLAYED, message_id="answered in an earlier life")
    assert (world.executed, world.events) == ([], [])


def test_a_replay_after_the_window_is_refused():
    world = World()
    world.give()
    world.now += WINDOW + 1
    world.refused(Reason.REPLAYED)


@pytest.mark.parametrize(("sender", "allowed"), [("g1", True), ("rc1", True), ("lc1", False),
                                                 ("stranger", False)])  # fmt: skip
def test_commands_are_accepted_from_operators_and_parents_only(sender, allowed):
    world = World()
    if allowed:
        world.give(sender=sender)
    else:
        world.refused(Reason.WRONG_TOPIC, sender=sender)
    assert bool(world.executed) is allowed


def test_a_command_that_the_role_refuses_is_announced_by_an_event():
    world = World()
    world.refuses = RefusedError(Reason.WRONG_TOPIC, "lc1 publishes no policy")
    world.refused(Reason.WRONG_TOPIC)
    assert world.events[0][1].detail["why"] == "lc1 publishes no policy"


@pytest.mark.parametrize("text", ["yesterday", "2026-01-02T03:04:05"])
def test_a_command_without_a_valid_time_is_refused(text):
    World().refused(Reason.UNPARSABLE, at=text)

"""What a sender does about acknowledgements and requests of its receiver, on a real store."""

from __future__ import annotations

import time
from itertools import count

import msgspec
import pytest

from pdsno_cli.delivery.inbox import Inbox
from pdsno_cli.delivery.stream_control import RESEND_PAUSE, StreamControl
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Ack, Command, Envelope, Event, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import START, Offset

EPOCH = 1_700_000_000
TOPIC, STREAM = "pdsno/summary/r/rc", "summary/r/rc"


class World:
    """A regional controller that has published, and the global one, played by the test."""

    def __init__(self, host, monkeypatch) -> None:
        self.host = host
        monkeypatch.setattr("pdsno_cli.delivery.stream_control.time.monotonic", host.wire.monotonic)
        self.resyncs = 0
        self.commands: list[str] = []
        self.renumbered: list[tuple[str, Offset]] = []
        self._seq = count(1)
        self.control = StreamControl(
            endpoint=host.endpoint,
            inbox=Inbox(host.endpoint, self),
            consumer=self,
            commands=self,
            renumber=lambda stream, after: self.renumbered.append((stream, after)),
        )
        host.publisher.sender.connected()

    def resync(self) -> None:
        self.resyncs += 1

    def handle(self, _, command) -> None:
        self.commands.append(command.order)

    def publish(self, times: int, topic=TOPIC) -> None:
        for _ in range(times):
            with self.host.publisher.unit() as unit:
                unit.stage(topic, Event(event="e", severity="info", subject="s", detail={}))

    def give(self, payload, *, sender="gc", seq=None, epoch=1) -> bool:
        return self.control.handle(
            Envelope(
                message_id="m", message_type="x", schema_version="1.0", sender_id=sender,
                recipient_id="rc", timestamp="t", stream="x", epoch=epoch,
                seq=next(self._seq) if seq is None else seq, payload=payload,
            )
        )  # fmt: skip

    def refused(self, *args, **kwargs) -> Reason:
        with pytest.raises(RefusedError) as caught:
            self.give(*args, **kwargs)
        return caught.value.reason

    def sent(self, topic=TOPIC) -> list[int]:
        """Return the numbers of the messages that were published on a topic."""
        return [
            msgspec.json.decode(data)["seq"]
            for on, data, *_ in self.host.wire.published
            if on == topic
        ]

    @property
    def backlog(self) -> int:
        return self.host.publisher.sender.backlog


@pytest.fixture
def world(host, monkeypatch):
    return World(host("rc"), monkeypatch)


def ask(order, after: Offset, stream=STREAM) -> Command:
    return Command(order=order, stream=stream, epoch=after.epoch, seq=after.seq)


def test_an_acknowledgement_deletes_what_it_covers(world):
    world.publish(3)
    assert world.give(Ack(stream=STREAM, epoch=EPOCH, seq=2))
    assert world.backlog == 1


def test_an_acknowledgement_of_what_was_never_sent_is_refused(world):
    world.publish(3)
    assert world.refused(Ack(stream=STREAM, epoch=EPOCH, seq=4)) is Reason.UNSENT
    assert world.backlog == 3


@pytest.mark.parametrize("sender", ["lc", "rc", "stranger"])
def test_only_the_receiver_of_a_stream_may_acknowledge_it_or_have_it_sent_again(world, sender):
    world.publish(1)
    ack = Ack(stream=STREAM, epoch=EPOCH, seq=1)
    assert world.refused(ack, sender=sender) is Reason.WRONG_TOPIC
    assert world.refused(ask("resend", START), sender=sender) is Reason.WRONG_TOPIC
    assert (world.backlog, world.sent()) == (1, [1])


def test_a_resend_begins_after_the_number_that_the_receiver_has(world):
    world.publish(4)
    world.give(ask("resend", Offset(EPOCH, 2)))
    assert world.sent() == [1, 2, 3, 4, 3, 4]


def test_a_second_request_within_a_moment_is_dropped(world):
    world.publish(1)
    for _ in range(5):
        world.give(ask("resend", START))
    assert world.sent() == [1, 1]
    world.host.wire.wait(RESEND_PAUSE)
    world.give(ask("resend", START))
    assert world.sent() == [1, 1, 1]


def test_where_the_beginning_is_deleted_the_receiver_gets_a_base_and_the_full_state(world):
    world.publish(3)
    world.give(Ack(stream=STREAM, epoch=EPOCH, seq=2))
    world.give(ask("resend", START))
    (answer,) = world.host.opened("pdsno/command/gc")
    assert answer.payload == ask("base", Offset(EPOCH, 2))
    assert world.host.store.acknowledged(STREAM) == Offset(EPOCH, 2)
    assert world.resyncs == 1
    assert world.sent()[-1] == 3


def test_events_have_no_full_state_that_could_replace_them(world):
    world.publish(2, "pdsno/events/r")
    world.give(Ack(stream="events/r", epoch=EPOCH, seq=1))
    world.give(ask("resend", START, "events/r"))
    assert world.host.opened("pdsno/command/gc")
    assert world.resyncs == 0


def test_a_request_for_other_numbers_is_passed_on(world):
    world.publish(1)
    world.give(ask("renumber", Offset(EPOCH + 9, 4)))
    assert world.renumbered == [(STREAM, Offset(EPOCH + 9, 4))]


def test_a_replayed_request_is_refused(world):
    world.publish(1)
    world.give(ask("resend", START), seq=5)
    assert world.refused(ask("resend", START), seq=5) is Reason.REPLAYED
    future = epoch_at(time.time() + 10 * 365 * 86_400)
    assert world.refused(ask("resend", START), epoch=future) is Reason.UNTIMELY


def test_orders_of_operators_go_to_the_command_handler(world):
    assert world.give(Command(order="discover"), sender="operator")
    assert world.commands == ["discover"]


def test_a_policy_is_left_to_the_controller_and_shortens_the_wait_for_its_publisher(world):
    world.publish(1)
    assert not world.give(PolicyDocument(scope="global", version=1))
    world.host.wire.wait(1.3)  # at most 1.2 s, and otherwise at least 3 s
    assert world.sent() == [1, 1]


def test_a_base_makes_the_inbox_skip_to_it(world):
    base = ask("base", Offset(EPOCH, 7), "discovery/r/lc")
    assert world.give(base, sender="lc")
    assert world.host.store.counters()["lc", "discovery/r/lc", EPOCH].skipped == 7

from __future__ import annotations

import pytest

from pdsno_cli.delivery.inbox import Inbox
from pdsno_cli.delivery.quarantine import resolve
from pdsno_cli.model.messages import Command, Envelope
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import Offset

EPOCH = 1_700_000_000


class World:
    """A regional controller with one entry in quarantine."""

    def __init__(self, host) -> None:
        self.host = host
        self.applied: list[Envelope] = []
        self.inbox = Inbox(host.endpoint, self)
        self.inbox.put_aside(
            sender="lc", stream="discovery/r/lc", at=Offset(EPOCH, 1), topic="t", data=b"x",
            reason="why",
        )  # fmt: skip

    def apply(self, tx, message) -> None:
        self.applied.append(message)

    def order(self, order: str, entry: int) -> None:
        command = Command(order=order, entry=entry)
        resolve(
            self.host.endpoint, self.inbox, lambda *_: envelope(command), envelope(command), command
        )

    def events(self):
        stored = self.host.store.outbox("events/r", Offset(0, 0), 10)
        return [self.host.codec.open(one.topic, one.data) for one in stored]


def envelope(payload) -> Envelope:
    return Envelope(
        message_id="order-1", message_type="command", schema_version="1.0", sender_id="operator",
        recipient_id="rc", timestamp="t", stream="command/rc", epoch=1, seq=1, payload=payload,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "event", "applied"),
    [("replay", "quarantine_replayed", 1), ("discard", "quarantine_discarded", 0)],
)
def test_resolve_answers_the_order_with_an_event(host, order, event, applied):
    world = World(host("rc"))
    world.order(order, 1)
    assert len(world.applied) == applied
    assert world.host.store.quarantined() == []
    (answer,) = world.events()
    assert (answer.payload.event, answer.correlation_id) == (event, "order-1")
    assert answer.payload.detail["stream"] == "discovery/r/lc"


def test_resolve_of_an_entry_that_does_not_exist_is_refused(host):
    world = World(host("rc"))
    with pytest.raises(RefusedError, match="rc has no entry 9 in quarantine") as caught:
        world.order("replay", 9)
    assert caught.value.reason is Reason.UNPARSABLE
    assert len(world.host.store.quarantined()) == 1

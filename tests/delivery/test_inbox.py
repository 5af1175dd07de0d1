"""Which messages are applied: numbers, gaps, fragments and quarantine, on a real store."""

from __future__ import annotations

import time

import pytest

from pdsno_cli.delivery.inbox import NOTICE_DELAY, Inbox
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Command, DiscoveryReport, Envelope, Event
from pdsno_cli.model.notices import CommitNotice, QuarantineNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import Offset

EPOCH = 1_700_000_000
STREAM = "discovery/r/lc"


class World:
    """The inbox of a controller, and a consumer that keeps what it is given."""

    def __init__(self, host) -> None:
        self.host = host
        self.applied: list[tuple[int, object]] = []
        self.failure: Exception | None = None
        self.inbox = Inbox(host.endpoint, self)

    def apply(self, tx, message) -> None:
        if self.failure is not None:
            raise self.failure
        self.applied.append((message.seq, message.payload))

    def accept(self, seq, payload, *, epoch=EPOCH, stream=STREAM, sender="lc") -> Reason | None:
        """Pass a message to the inbox as the receiver does; return why it is refused."""
        message = envelope(payload, seq, epoch=epoch, stream=stream, sender=sender)
        with self.host.store.transaction() as tx:
            try:
                self.inbox.accept(tx, message)
            except RefusedError as refused:
                return refused.reason
        return None

    @property
    def seqs(self) -> list[int]:
        return [seq for seq, _ in self.applied]

    def acked(self, peer="lc") -> list[tuple[int, int]]:
        self.host.wire.wait(1.0)
        topic = self.host.topology.topics.ack(peer)
        return [(one.payload.epoch, one.payload.seq) for one in self.host.opened(topic)]

    def requested(self) -> list[tuple[str, int, int]]:
        self.host.wire.wait(1.0)
        topic = self.host.topology.topics.command("lc")
        commands = [one.payload for one in self.host.opened(topic)]
        return [(one.order, one.epoch, one.seq) for one in commands]

    def shown(self, kind) -> list:
        self.host.wire.wait(NOTICE_DELAY)
        return [one for one in self.host.wire.notices if isinstance(one, kind)]


def envelope(payload, seq, *, epoch=EPOCH, stream=STREAM, sender="lc") -> Envelope:
    return Envelope(
        message_id="m", message_type="discovery_report", schema_version="1.0", sender_id=sender,
        recipient_id="broadcast", timestamp="t", stream=stream, epoch=epoch, seq=seq,
        payload=payload,
    )  # fmt: skip


def report(*, snapshot=False, more=False, inactive=()) -> DiscoveryReport:
    return DiscoveryReport(
        region="r", cycle=1, snapshot=snapshot, more=more, outcome="complete",
        started_at="2026-01-01T00:00:00.000Z", seconds=0.0, probes=(), new=(), updated=(),
        inactive=inactive, active=0,
    )  # fmt: skip


def event() -> Event:
    return Event(event="e", severity="info", subject="s", detail={})


@pytest.fixture
def regional(host):
    return World(host("rc"))


@pytest.fixture
def top(host):
    return World(host("gc"))


def test_messages_in_order_are_applied_and_acknowledged_once(regional):
    regional.accept(1, report(snapshot=True))
    for seq in (2, 3, 3, 2):
        regional.accept(seq, report())
    assert regional.seqs == [1, 2, 3]
    assert regional.acked()[-1] == (EPOCH, 3)
    (notice,) = regional.shown(CommitNotice)
    assert (notice.reports, notice.duplicates) == (3, 2)


def test_a_report_that_is_no_snapshot_does_not_begin_a_stream(regional):
    regional.accept(1, report())
    assert regional.seqs == []
    assert regional.requested() == [("resend", 0, 0)]


def test_an_event_begins_a_stream_only_with_its_first_number(top):
    top.accept(2, event(), stream="events/r", sender="rc")
    assert top.seqs == []
    top.accept(1, event(), stream="events/r", sender="rc")
    top.accept(2, event(), stream="events/r", sender="rc")
    assert top.seqs == [1, 2]


def test_a_gap_is_requested_and_a_snapshot_needs_none(regional):
    regional.accept(1, report(snapshot=True))
    regional.accept(4, report())
    assert regional.seqs == [1]
    assert regional.requested() == [("resend", EPOCH, 1)]
    regional.accept(9, report(snapshot=True))
    assert regional.seqs == [1, 9]


def test_the_next_epoch_follows_and_the_one_before_is_stale(regional):
    regional.accept(1, report(snapshot=True))
    regional.accept(1, report(), epoch=EPOCH + 5)
    assert regional.seqs == [1, 1]
    assert regional.accept(2, report()) is Reason.REPLAYED
    assert regional.requested() == [("renumber", EPOCH + 5, 1)]


def test_an_epoch_from_the_future_is_refused_and_announced_once(regional):
    future = epoch_at(time.time() + 10 * 365 * 86_400)
    for seq in (1, 2):
        assert regional.accept(seq, report(snapshot=True), epoch=future) is Reason.UNTIMELY
    assert regional.seqs == []
    regional.accept(1, report(snapshot=True))
    assert regional.seqs == [1]
    regional.host.wire.wait(1.0)
    stored = regional.host.store.outbox("events/r", Offset(0, 0), 10)
    events = [regional.host.codec.open(one.topic, one.data).payload for one in stored]
    assert [(one.event, one.subject) for one in events] == [("epoch_ahead", "lc")]


@pytest.mark.parametrize("stream", ["discovery/elsewhere/lc", "summary/r/rc", "events/system"])
def test_a_stream_that_this_controller_does_not_receive_is_refused(regional, stream):
    assert regional.accept(1, report(snapshot=True), stream=stream) is Reason.WRONG_TOPIC
    assert regional.acked() == []


def test_fragments_are_applied_as_one_message_also_by_the_next_process(regional):
    regional.accept(1, report(snapshot=True, more=True, inactive=("a",)))
    assert regional.seqs == []
    after = World(regional.host)
    after.accept(2, report(inactive=("b",)))
    ((seq, payload),) = after.applied
    assert (seq, payload.snapshot, payload.inactive) == (2, True, ("a", "b"))
    assert regional.host.store.incomplete_streams() == []


def test_a_message_whose_effect_fails_leaves_its_number_unrecorded(regional):
    regional.failure = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        regional.accept(1, report(snapshot=True))
    regional.failure = None
    regional.accept(1, report(snapshot=True))
    assert regional.seqs == [1]


def test_a_message_put_aside_is_acknowledged_and_its_stream_goes_on(regional):
    regional.accept(1, report(snapshot=True))
    aside = {"sender": "lc", "topic": "t", "data": b"x", "reason": "why"}
    regional.inbox.put_aside(stream=STREAM, at=Offset(EPOCH, 3), **aside)  # not its turn
    regional.inbox.put_aside(stream="discovery/x/lc", at=Offset(EPOCH, 1), **aside)
    assert regional.host.store.quarantined() == []
    regional.inbox.put_aside(stream=STREAM, at=Offset(EPOCH, 2), **aside)
    regional.accept(3, report())
    assert regional.seqs == [1, 3]
    assert regional.acked()[-1] == (EPOCH, 3)
    assert [one.messages for one in regional.shown(QuarantineNotice)] == [1]


def test_replay_applies_an_entry_and_requests_the_full_state(regional):
    aside = {"sender": "lc", "topic": "t", "data": b"x", "reason": "why"}
    regional.inbox.put_aside(stream=STREAM, at=Offset(EPOCH, 1), **aside)
    (entry,) = regional.host.store.quarantined()
    with regional.host.store.transaction() as tx:
        regional.inbox.replay(tx, entry, envelope(report(), 1))
    assert regional.seqs == [1]
    assert regional.host.store.quarantined() == []
    assert regional.requested() == [("resend", 0, 0)]


def test_skip_to_goes_on_after_a_number_that_the_sender_no_longer_has(regional):
    regional.accept(1, report(snapshot=True))
    base = Command(order="base", stream=STREAM, epoch=EPOCH, seq=7)
    regional.inbox.skip_to(envelope(base, 1), base)
    regional.accept(8, report())
    assert regional.seqs == [1, 8]
    counters = regional.host.store.counters()["lc", STREAM, EPOCH]
    assert (counters.seq, counters.applied, counters.skipped) == (8, 2, 6)


def test_start_shows_what_is_in_quarantine(regional):
    aside = {"sender": "lc", "topic": "t", "data": b"x", "reason": "why"}
    regional.inbox.put_aside(stream=STREAM, at=Offset(EPOCH, 1), **aside)
    regional.host.wire.notices.clear()
    regional.inbox.start()
    assert [one.messages for one in regional.shown(QuarantineNotice)] == [1]

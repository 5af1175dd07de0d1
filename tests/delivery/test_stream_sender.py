"""The outbox against a real store, a channel that does as the test says, and a clock of its own."""

from __future__ import annotations

import heapq
import itertools
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pdsno_cli.delivery import stream_sender
from pdsno_cli.delivery.send_window import WINDOW
from pdsno_cli.delivery.stream_sender import StreamSender
from pdsno_cli.nib.audit import reconcile
from pdsno_cli.nib.offsets import START, Offset, Verdict
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.mailbox import Timer

WHOLE = b"whole"  # the payload of a message that tells everything
PATIENCE = 10.0  # seconds without an acknowledgement after which a window was sent again for sure


class Clock:
    """A scheduler whose time passes when the test says so."""

    def __init__(self):
        self.now = 0.0
        self._due = []
        self._order = count()

    def after(self, seconds, work):
        timer = Timer(work)
        heapq.heappush(self._due, (self.now + seconds, next(self._order), timer))
        return timer

    def advance(self, seconds):
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._due)
            if timer.work is not None:
                timer.work()
        self.now = end


class Sender:
    """An outbox, its store, and what it handed over."""

    def __init__(self):
        self.store = Store.open(":memory:")
        self.clock = Clock()
        self.sent: list[OutboxRecord] = []
        self.takes = True
        self.epoch = 0
        self.start()

    def start(self):
        """Start, or start again over the same store: a new epoch."""
        self.epoch += 1
        self._seq = count(1)
        self.backlogs = []
        self.sender = StreamSender(
            store=self.store,
            send=self._send,
            scheduler=self.clock,
            on_backlog=self.backlogs.append,
        )

    def _send(self, message):
        if self.takes:
            self.sent.append(message)
        return self.takes

    def keep(self, stream="s", data=b"x"):
        message = OutboxRecord(
            stream=stream,
            epoch=self.epoch,
            seq=next(self._seq),
            topic="t",
            data=data,
            qos=1,
            retain=False,
        )
        with self.store.transaction() as tx:
            tx.enqueue(message)
        self.sender.send_new(stream)
        return message.offset

    def coalesce(self, stream="s"):
        self.sender.flush_acknowledged()
        with self.store.transaction() as tx:
            dropped = tx.coalesce(stream)
            tx.on_commit(lambda: self.sender.coalesced(stream))
        return dropped

    def handed_over(self):
        """Return the positions handed over since the last time."""
        sent, self.sent = self.sent, []
        return [message.offset for message in sent]


@pytest.fixture
def sender():
    return Sender()


def test_what_is_kept_while_disconnected_is_sent_in_order_on_connect(sender):
    positions = [sender.keep() for _ in range(3)]
    assert sender.handed_over() == []
    sender.sender.connected()
    assert sender.handed_over() == positions


def test_what_is_not_acknowledged_is_sent_again_after_a_while(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(2)]
    sender.handed_over()
    sender.clock.advance(PATIENCE)
    assert sender.handed_over()[:2] == positions


def test_what_is_acknowledged_is_dropped_and_never_sent_again(sender):
    sender.sender.connected()
    first, second = sender.keep(), sender.keep()
    sender.handed_over()
    assert sender.sender.acknowledged("s", first)
    assert not sender.sender.acknowledged("s", first)
    sender.clock.advance(20)
    assert set(sender.handed_over()) == {second}
    sender.sender.acknowledged("s", second)
    sender.clock.advance(100)
    assert sender.handed_over() == []
    assert sender.sender.backlog == 0


def test_resending_slows_down_while_nobody_answers_and_is_quick_again_after(sender):
    sender.sender.connected()
    sender.keep()
    sender.clock.advance(600)
    tries = len(sender.handed_over())
    assert 20 <= tries <= 45  # every 20 s in the end
    sender.sender.acknowledged("s", Offset(1, 1))
    second = sender.keep()
    sender.handed_over()
    sender.clock.advance(PATIENCE)
    assert set(sender.handed_over()) == {second}


def test_a_stream_under_way_is_not_sent_again_while_acknowledgements_come(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(20)]
    sender.handed_over()
    for position in positions[:-1]:
        sender.clock.advance(1)
        sender.sender.acknowledged("s", position)
    assert sender.handed_over() == []


def test_no_more_than_a_window_waits_for_its_acknowledgement(sender):
    positions = [sender.keep() for _ in range(WINDOW + 50)]
    sender.sender.connected()
    assert sender.handed_over() == positions[:WINDOW]
    sender.sender.acknowledged("s", positions[9])
    assert sender.handed_over() == positions[WINDOW : WINDOW + 10]


def test_window_is_small_after_a_loss_and_opens_with_every_acknowledgement(sender):
    positions = [sender.keep() for _ in range(WINDOW)]
    sender.sender.connected()
    sender.handed_over()
    assert sender.sender.resend("s", positions[9])
    assert sender.handed_over() == positions[10:20]
    sender.sender.acknowledged("s", positions[19])
    assert sender.handed_over() == positions[20:40]
    sender.clock.advance(PATIENCE)
    again = sender.handed_over()
    assert again[again.index(positions[20]) :][:11] == [*positions[20:30], positions[29]]


def test_full_window_that_hears_nothing_soon_says_its_last_message_again(sender):
    positions = [sender.keep() for _ in range(WINDOW + 1)]
    sender.sender.connected()
    sender.handed_over()
    sender.clock.advance(1.2)
    assert sender.handed_over() == [positions[WINDOW - 1]]
    sender.clock.advance(2.0)
    assert set(sender.handed_over()) == {positions[WINDOW - 1]}


def test_after_a_loss_the_last_message_is_said_again_until_all_is_acknowledged(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(5)]
    sender.sender.resend("s", positions[1])
    sender.handed_over()
    sender.clock.advance(1.2)
    assert sender.handed_over() == [positions[-1]]
    sender.sender.acknowledged("s", positions[-1])
    sender.keep()
    sender.handed_over()
    sender.clock.advance(3)
    assert sender.handed_over() == []


def test_few_messages_that_hear_nothing_yet_are_not_said_again_soon(sender):
    sender.sender.connected()
    for _ in range(WINDOW - 1):
        sender.keep()
    sender.handed_over()
    sender.clock.advance(3)
    assert sender.handed_over() == []


def test_nothing_is_said_again_soon_where_nobody_listens(sender):
    sender.sender.connected()
    position = sender.keep()
    sender.clock.advance(60)
    sender.handed_over()
    sender.clock.advance(100)
    assert 2 <= len(again := sender.handed_over()) <= 6
    assert set(again) == {position}


def test_acknowledgement_of_all_that_waits_gives_what_follows_its_full_time(sender):
    sender.sender.connected()
    for _ in range(30):
        position = sender.keep()
        sender.clock.advance(1)
        sender.sender.acknowledged("s", position)
    assert sender.handed_over() == [Offset(1, seq) for seq in range(1, 31)]


def test_loss_of_a_whole_window_is_repaired_before_it_is_all_sent_again(sender):
    positions = [sender.keep() for _ in range(3 * WINDOW)]
    receiver = Receiver()
    sender.sender.connected()
    sender.sender.acknowledged("s", sender.handed_over()[0])
    receiver.take(sender.store.outbox("s", START, 1)[0])
    sender.handed_over()  # all of it is dropped
    for _ in range(30):
        sender.clock.advance(0.1)
        wire, sender.sent = sender.sent, []
        for message in wire:
            mark, verdict = receiver.take(message)
            if verdict is Verdict.GAP:
                sender.sender.resend("s", mark)
            else:
                sender.sender.acknowledged("s", mark)
    assert receiver.applied == positions


def test_a_new_epoch_waits_until_all_of_the_one_before_is_acknowledged(sender):
    sender.sender.connected()
    old = [sender.keep() for _ in range(2)]
    sender.handed_over()
    sender.start()
    new = sender.keep()
    sender.sender.connected()
    assert sender.handed_over() == old
    sender.sender.acknowledged("s", old[0])
    assert sender.handed_over() == []
    sender.sender.acknowledged("s", old[1])
    assert sender.handed_over() == [new]


def test_what_the_transport_does_not_take_is_sent_later_in_order(sender):
    sender.sender.connected()
    sender.takes = False
    positions = [sender.keep() for _ in range(3)]
    sender.takes = True
    sender.clock.advance(PATIENCE)
    assert sender.handed_over()[:3] == positions


def test_resend_goes_back_to_a_number_and_refuses_one_that_is_dropped(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(4)]
    sender.handed_over()
    assert sender.sender.resend("s", positions[1])
    assert sender.handed_over() == positions[2:]
    sender.sender.acknowledged("s", positions[0])
    sender.handed_over()
    assert not sender.sender.resend("s", START)


def test_nudge_waits_only_shortly_for_a_receiver_that_has_just_come(sender):
    sender.sender.connected()
    first = sender.keep("mine")
    sender.handed_over()
    sender.sender.expect_soon(lambda stream: stream == "mine")
    assert sender.handed_over() == []  # its acknowledgement may well be on its way
    sender.clock.advance(1.3)
    assert sender.handed_over() == [first]


def test_nudge_does_nothing_where_nothing_waits_for_that_receiver(sender):
    sender.sender.connected()
    sender.keep("other")
    sender.handed_over()
    sender.sender.expect_soon(lambda stream: stream == "mine")
    sender.clock.advance(1.3)
    assert sender.handed_over() == []


def test_a_stream_stands_still_from_the_first_message_or_the_last_acknowledgement(
    sender, monkeypatch
):
    monkeypatch.setattr(stream_sender.time, "monotonic", lambda: sender.clock.now)
    assert sender.sender.oldest_stall() is None
    sender.sender.connected()
    sender.keep()
    begun = sender.clock.now
    sender.clock.advance(30)
    sender.keep()
    assert sender.sender.oldest_stall() == ("s", begun)
    sender.sender.acknowledged("s", Offset(1, 1))
    assert sender.sender.oldest_stall() == ("s", sender.clock.now)
    sender.clock.advance(1)
    sender.sender.acknowledged("s", Offset(1, 2))
    assert sender.sender.oldest_stall() is None


def test_time_without_a_connection_is_no_standstill(sender, monkeypatch):
    monkeypatch.setattr(stream_sender.time, "monotonic", lambda: sender.clock.now)
    sender.sender.connected()
    sender.keep()
    sender.clock.advance(4)
    sender.sender.disconnected()
    sender.clock.advance(1000)
    sender.sender.connected()
    assert sender.sender.oldest_stall() == ("s", sender.clock.now - 4)


def test_how_many_wait_is_told_once_it_has_stood_for_a_moment(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(3)]
    sender.clock.advance(1)
    assert sender.backlogs == [3]
    sender.sender.acknowledged("s", positions[1])
    sender.clock.advance(1)
    assert sender.backlogs == [3, 1]


def test_a_restart_sends_what_was_kept_before(sender):
    positions = [sender.keep() for _ in range(3)]
    sender.start()
    sender.sender.connected()
    assert sender.handed_over() == positions


def test_what_gives_way_is_sent_no_more_and_the_stream_begins_after_it(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(3)]
    sender.handed_over()
    sender.sender.acknowledged("s", positions[0])
    assert sender.coalesce() == 2
    newest = sender.keep()
    assert sender.handed_over() == [newest]
    assert sender.sender.beginning("s") == positions[2]
    assert not sender.sender.resend("s", positions[0])
    assert sender.sender.resend("s", positions[2])
    assert sender.handed_over() == [newest]


def test_an_acknowledgement_of_what_has_given_way_harms_nothing(sender):
    sender.sender.connected()
    positions = [sender.keep() for _ in range(3)]
    sender.coalesce()
    newest = sender.keep()
    sender.sender.acknowledged("s", positions[1])
    sender.sender.acknowledged("s", newest)
    sender.clock.advance(1)
    assert sender.sender.backlog == 0
    assert sender.sender.beginning("s") == newest


class Receiver:
    """Judges and marks as a parent does; applies each message at most once."""

    def __init__(self):
        self.store = Store.open(":memory:")
        self.applied: list[Offset] = []

    def take(self, message):
        """Apply a message where it fits; return what to acknowledge, and what to ask for."""
        name = {"sender": "x", "stream": message.stream}
        number = {"epoch": message.epoch, "seq": message.seq}
        with self.store.transaction() as tx:
            verdict = tx.judge(**name, **number)
            fits = verdict in (Verdict.GAP, Verdict.UNKNOWN) and message.data == WHOLE
            fits = fits or verdict is Verdict.NEXT
            if fits or (verdict is Verdict.UNKNOWN and message.seq == 1):
                tx.advance(**name, to=Offset(**number))
                self.applied.append(message.offset)
            return tx.committed("x", message.stream), verdict

    def base(self, to):
        """Go on after a number whose forerunners have given way."""
        with self.store.transaction() as tx:
            mark = tx.committed("x", "s")
            if mark is None or mark < to:
                tx.advance(sender="x", stream="s", to=to, applied=0)


class Channel(RuleBasedStateMachine):
    """A sender and a receiver, and between them all that can go wrong."""

    def __init__(self):
        super().__init__()
        self.sender, self.receiver = Sender(), Receiver()
        self.sender.sender.connected()
        self.kept, self.acks, self.asked = [], [], []
        self.whole = set()

    @property
    def wire(self):
        return self.sender.sent

    def hand(self, message):
        mark, verdict = self.receiver.take(message)
        if verdict in (Verdict.GAP, Verdict.UNKNOWN) and message.offset != mark:
            self.asked.append(mark or START)
        elif mark is not None:
            self.acks.append(mark)

    @rule()
    def keep(self):
        self.kept.append(self.sender.keep())

    @rule()
    def coalesce_into_a_snapshot(self):
        self.sender.coalesce()
        self.kept.append(self.sender.keep(data=WHOLE))
        self.whole.add(self.kept[-1])

    @precondition(lambda self: self.wire)
    @rule()
    def deliver(self):
        self.hand(self.wire.pop(0))

    @precondition(lambda self: self.wire)
    @rule()
    def deliver_and_deliver_again_later(self):
        self.hand(self.wire[0])

    @precondition(lambda self: self.wire)
    @rule()
    def drop(self):
        self.wire.pop(0)

    @precondition(lambda self: len(self.wire) > 1)
    @rule()
    def swap(self):
        self.wire[:2] = self.wire[1::-1]

    @precondition(lambda self: self.acks)
    @rule()
    def acknowledge(self):
        self.sender.sender.acknowledged("s", self.acks.pop(0))

    @rule()
    def lose_acknowledgements(self):
        self.acks.clear()

    @precondition(lambda self: self.asked)
    @rule()
    def ask(self):
        own = self.sender.sender
        if not own.resend("s", self.asked.pop()):
            base = own.beginning("s")
            self.receiver.base(base)
            own.resend("s", base)

    @rule(seconds=st.sampled_from([0.1, 5.0, 60.0]))
    def wait(self, seconds):
        self.sender.clock.advance(seconds)

    @rule()
    def break_connection(self):
        self.wire.clear()
        self.sender.sender.disconnected()
        self.sender.sender.connected()

    @rule()
    def restart(self):
        self.wire.clear()
        self.sender.start()
        self.sender.sender.connected()

    @invariant()
    def nothing_is_applied_twice_or_out_of_order(self):
        assert self.receiver.applied == sorted(set(self.receiver.applied))

    @invariant()
    def nothing_is_passed_over_but_for_a_snapshot_that_tells_it(self):
        expected = iter(self.kept)
        for position in self.receiver.applied:
            passed = list(itertools.takewhile(lambda p, to=position: p != to, expected))
            assert not passed or position in self.whole

    def teardown(self):
        """Once the channel is in order, everything arrives."""
        for _ in range(500):
            if not self.sender.sender.backlog:
                break
            while self.wire:
                self.deliver()
            while self.acks:
                self.acknowledge()
            self.sender.clock.advance(40)
        assert self.sender.sender.backlog == 0
        assert self.receiver.applied[-1:] == self.kept[-1:]
        (sent,) = [
            item for item in self.sender.store.sent() if item.epoch == self.sender.epoch
        ] or [None]
        if sent is not None:
            counters = self.receiver.store.counters().get(("x", "s", sent.epoch))
            assert reconcile("x", "y", sent, counters).accounted


TestChannel = Channel.TestCase
TestChannel.settings = settings(max_examples=100, stateful_step_count=60)

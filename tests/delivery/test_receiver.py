"""A real regional controller on the bus, fed message by message: commits, quarantine, parts."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import msgspec
import pytest

from pdsno_cli.delivery import receiver
from pdsno_cli.delivery.subscriptions import filters
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.devices import Device
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Ack, Command, DiscoveryReport, PolicyDocument
from pdsno_cli.model.notices import RefusalNotice, WarningNotice
from pdsno_cli.nib import rows
from pdsno_cli.nib.offsets import START
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.node import Node
from tests.conftest import ONE_OF_EACH
from tests.e2e.conftest import until
from tests.messaging.recorder import Recorder

KEY = bytes(range(32))


class Watcher:
    def __init__(self):
        self.notices = []
        self.ready = threading.Event()

    def notice(self, notice):
        self.notices.append(notice)
        if getattr(notice, "state", None) == "ready":
            self.ready.set()


class Regional:
    """The controller under test, and a peer that speaks as its local controller."""

    def __init__(self, folder):
        path = folder / "one.yaml"
        path.write_text(ONE_OF_EACH)
        self.topology = require(str(path))
        self.store = folder / "rc.db"
        self.codec = Codec(KEY, self.topology.topics, 1_000_000)
        self.topic = self.topology.topics.discovery("r", "lc")
        self.bus = Bus()
        self.heard = Recorder()
        self.peer = BusTransport(self.bus, "lc", ["pdsno/ack/lc", "pdsno/command/lc"])
        self.peer.start(self.heard)
        self.start()

    def start(self):
        self.watcher = Watcher()
        self.node = Node(
            topology=self.topology,
            controller_id="rc",
            key=KEY,
            store=self.store,
            connect=self.connect,
            watcher=self.watcher,
        )
        self.thread = threading.Thread(target=self.node.run)
        self.thread.start()
        assert self.watcher.ready.wait(10)

    def connect(self, name, epoch):
        link = BusTransport(self.bus, name, filters(self.topology, self.topology.controllers[name]))
        return FailoverTransport(transports={"bus": link}, order=lambda _: ("bus",))

    def stop(self):
        self.node.stop()
        self.thread.join(10)

    def end(self):
        self.stop()
        self.peer.stop()

    def seal(self, seq, *, epoch=7, **changes):
        report = msgspec.structs.replace(
            DiscoveryReport(
                region="r", cycle=seq, snapshot=seq == 1, outcome="complete",
                started_at="2026-01-01T00:00:00.000Z", seconds=0.1, probes=(), new=(),
                updated=(), inactive=(), active=1,
            ),
            **changes,
        )  # fmt: skip
        return self.codec.seal(
            topic=self.topic, sender_id="lc", message_type="discovery_report",
            payload=report, epoch=epoch, seq=seq,
        )  # fmt: skip

    def say(self, data):
        assert self.peer.publish(self.topic, data, qos=1, retain=False)

    def poison(self, seq, *, epoch=7):
        """Return a signed message that nobody can read."""
        sealed = self.seal(seq, epoch=epoch)
        document = sealed[: sealed.rindex(b',"signature"')] + b"}"
        return Signer(KEY).sign(
            self.topic, document.replace(b'"outcome":"complete"', b'"outcome":"excellent"')
        )

    def order(self, order, **members):
        """Give an order as a person does; return what gives it once more."""
        topic = self.topology.topics.command("rc")
        data = self.codec.seal(
            topic=topic, sender_id="operator", message_type="command", epoch=1, seq=1,
            payload=Command(order=order, **members),
        )  # fmt: skip

        def give():
            assert self.peer.publish(topic, data, qos=1, retain=False)

        give()
        return give

    def refusals(self):
        found = [item.counts for item in self.watcher.notices if isinstance(item, RefusalNotice)]
        return found[-1] if found else {}

    def acknowledged(self, seq, *, epoch=7):
        """Wait until the peer holds an acknowledgement of all up to ``seq``."""
        wanted = Ack(stream="discovery/r/lc", epoch=epoch, seq=seq)

        def there(heard):
            return any(wanted == self.codec.open(t, d).payload for t, d, _ in list(heard.messages))

        self.heard.wait(there)

    def commands(self):
        found = [self.codec.open(topic, data).payload for topic, data, _ in self.heard.messages]
        return [item for item in found if isinstance(item, Command)]

    def held(self, question):
        with closing(open_reader(self.store)) as store:
            return question(store)

    def devices(self):
        return sorted(item.device.device_id for item in self.held(lambda s: s.devices(active=True)))


@pytest.fixture
def regional(tmp_path):
    made = Regional(tmp_path)
    yield made
    made.end()


def device(name, **changes):
    return Device(device_id=name, addresses=("10.0.0.1",), protocols=("icmp",), **changes)


def test_what_comes_in_numbers_is_committed_once_each_and_acknowledged(regional):
    for seq in range(1, 1001):
        regional.say(regional.seal(seq, new=(device(f"d{seq % 7}"),)))
    regional.acknowledged(1000)
    counters = regional.held(lambda s: s.counters())["lc", "discovery/r/lc", 7]
    assert (counters.seq, counters.applied) == (1000, 1000)
    assert regional.devices() == [f"d{n}" for n in range(7)]


def test_a_repeated_message_is_acknowledged_again_and_applied_once(regional):
    data = regional.seal(1, new=(device("a"),))
    for _ in range(3):
        regional.say(data)
    regional.say(regional.seal(2))
    regional.acknowledged(2)
    assert regional.held(lambda s: s.counters())["lc", "discovery/r/lc", 7].applied == 2


def test_a_signed_message_that_nobody_can_read_is_set_aside_and_the_stream_goes_on(regional):
    regional.say(regional.seal(1, new=(device("a"),)))
    poison = regional.poison(2)
    regional.say(poison)
    regional.say(regional.seal(3, new=(device("b"),)))
    regional.acknowledged(3)
    assert regional.devices() == ["a", "b"]
    (kept,) = regional.held(lambda s: s.quarantined())
    assert (kept.sender, kept.epoch, kept.seq, kept.data) == ("lc", 7, 2, poison)
    assert "outcome" in kept.reason
    counters = regional.held(lambda s: s.counters())["lc", "discovery/r/lc", 7]
    assert (counters.seq, counters.applied, counters.quarantined) == (3, 2, 1)


def refuse_bad_devices(monkeypatch):
    """Have a device that is bad fail where its row is made."""

    def refuse(local_id, region, device, *, at):
        if device.device_id == "bad":
            raise OverflowError("such a device cannot be")
        return original(local_id, region, device, at=at)

    original = rows.device_row
    monkeypatch.setattr(rows, "device_row", refuse)


def test_a_message_that_fails_to_apply_takes_no_other_with_it(regional, monkeypatch):
    refuse_bad_devices(monkeypatch)
    for seq, name in enumerate(("a", "b", "bad", "c", "d"), start=1):
        regional.say(regional.seal(seq, new=(device(name),)))
    regional.acknowledged(5)
    assert regional.devices() == ["a", "b", "c", "d"]
    (kept,) = regional.held(lambda s: s.quarantined())
    assert kept.reason == "OverflowError: such a device cannot be"
    assert any(getattr(item, "messages", None) == 1 for item in regional.watcher.notices)


@pytest.mark.parametrize("bad", [{300}, {1, 1501}, {650, 651}, set()])
@pytest.mark.parametrize("others", [False, True])
def test_a_flood_is_committed_once_each_whatever_fails_in_it(regional, monkeypatch, bad, others):
    refuse_bad_devices(monkeypatch)
    monkeypatch.setattr(receiver, "BATCH", 400)  # some are gathered while others are committed
    if others:
        use_the_store_in_between(regional, monkeypatch)
    flood(regional, [f"d{seq % 7}" if seq not in bad else "bad" for seq in range(1, 1502)])
    regional.acknowledged(1501)
    counters = regional.held(lambda s: s.counters())["lc", "discovery/r/lc", 7]
    assert (counters.seq, counters.applied, counters.quarantined) == (
        1501,
        1501 - len(bad),
        len(bad),
    )
    assert {kept.seq for kept in regional.held(lambda s: s.quarantined())} == bad
    assert regional.devices() == [f"d{n}" for n in range(7)]


def flood(regional, names, *, then=None):
    """Have a report of each device wait before the first is taken in, and work behind them."""
    held, gate = threading.Event(), threading.Event()

    def hold():
        held.set()
        gate.wait()

    regional.node._mailbox.post(hold)
    # Else a drain of what came at the start may go on with the flood, by its own turn.
    assert held.wait(10)
    for seq, name in enumerate(names, start=1):
        regional.say(regional.seal(seq, new=(device(name),)))
    if then is not None:
        regional.node._mailbox.post(then)
    gate.set()


def use_the_store_in_between(regional, monkeypatch):
    """Have other work of the owner ask the store, and change it, all the while."""
    monkeypatch.setattr(receiver, "_TURN", 0.005)
    node = regional.node
    store, mailbox = node._receiver._store, node._mailbox

    def use():
        store.cycles()
        with store.transaction() as tx:
            tx.answer("an order", at=0.0)
        mailbox.after(0.001, use)

    mailbox.post(use)


def test_whatever_else_waits_has_its_turn_in_a_flood(regional, monkeypatch):
    monkeypatch.setattr(receiver, "_TURN", 0.005)
    found = []

    def look():
        found.append(regional.held(lambda s: s.counters()).get(("lc", "discovery/r/lc", 7)))

    flood(regional, [f"d{seq % 7}" for seq in range(3000)], then=look)
    regional.acknowledged(3000)
    (counters,) = found
    assert counters is None or counters.seq < 3000


def set_aside(regional, monkeypatch):
    """Have the regional set a message aside that it could apply by now."""
    with monkeypatch.context() as patch:
        patch.setattr("pdsno_cli.nib.rows.device_row", lambda *_args, **_kwargs: 1 / 0)
        regional.say(regional.seal(1, new=(device("late"),)))
        regional.acknowledged(1)
    (kept,) = regional.held(lambda s: s.quarantined())
    return kept.id


def asked_for_everything(regional):
    regional.heard.wait(lambda _: any(c.order == "resend" for c in regional.commands()))
    assert {(c.epoch, c.seq) for c in regional.commands()} == {(0, 0)}


def test_replay_applies_what_was_set_aside_and_asks_for_everything_new(regional, monkeypatch):
    regional.order("replay", entry=set_aside(regional, monkeypatch))
    asked_for_everything(regional)
    assert regional.devices() == ["late"]
    assert regional.held(lambda s: s.quarantined()) == []


def test_discard_drops_what_was_set_aside_and_asks_for_everything_new(regional, monkeypatch):
    regional.order("discard", entry=set_aside(regional, monkeypatch))
    asked_for_everything(regional)
    assert regional.devices() == []
    assert regional.held(lambda s: s.quarantined()) == []


def test_replay_of_what_still_cannot_be_read_is_refused_and_keeps_it(regional):
    regional.say(regional.poison(1))
    regional.acknowledged(1)
    regional.order("replay", entry=1)
    until(lambda: "events/r" in regional.held(lambda s: s.outbox_streams()), "the word on why")
    assert len(regional.held(lambda s: s.quarantined())) == 1


def test_an_order_is_carried_out_once_though_it_comes_again_after_a_restart(regional):
    ordered = PolicyDocument(scope="r", version=0, scan_interval=7.0)
    give_again = regional.order("policy", policy=ordered)

    def in_force():
        return regional.held(lambda s: s.policy("r")).document

    until(lambda: in_force().scan_interval == 7.0, "the policy that was ordered")
    before = in_force()
    regional.stop()
    regional.start()
    give_again()
    until(lambda: regional.refusals() == {"replayed": 1}, "the word that the order came before")
    assert in_force() == before


def test_a_forged_message_is_refused_and_never_set_aside(regional):
    data = regional.seal(1)
    forged = Signer(bytes(32)).sign(regional.topic, data[: data.rindex(b',"signature"')] + b"}")
    regional.say(forged)
    regional.say(data)
    regional.acknowledged(1)
    assert regional.held(lambda s: s.quarantined()) == []


def test_parts_are_applied_together_with_the_last_and_survive_a_restart(regional):
    regional.say(regional.seal(1, snapshot=True, new=(device("old"),)))
    regional.say(regional.seal(2, snapshot=True, new=(device("a"),), more=True))
    regional.say(regional.seal(3, new=(device("b"),), more=True))
    regional.acknowledged(3)
    assert regional.devices() == ["old"]
    regional.stop()
    regional.start()
    regional.say(regional.seal(4, new=(device("c"),)))
    regional.acknowledged(4)
    assert regional.devices() == ["a", "b", "c"]
    assert regional.held(lambda s: s.incomplete_streams()) == []


def test_parts_give_way_to_a_snapshot_that_begins_anew(regional):
    regional.say(regional.seal(1, snapshot=True, new=(device("a"),), more=True))
    regional.say(regional.seal(9, snapshot=True, new=(device("b"),)))
    regional.acknowledged(9)
    assert regional.devices() == ["b"]
    counters = regional.held(lambda s: s.counters())["lc", "discovery/r/lc", 7]
    assert (counters.seq, counters.applied, counters.skipped) == (9, 2, 7)


def test_a_gap_is_asked_for_once_and_filled(regional):
    regional.say(regional.seal(1, new=(device("a"),)))
    for seq in (3, 4):
        regional.say(regional.seal(seq))
    regional.heard.wait(lambda _: regional.commands())
    (command,) = regional.commands()
    assert (command.order, command.epoch, command.seq) == ("resend", 7, 1)
    for seq in (2, 3, 4):
        regional.say(regional.seal(seq))
    regional.acknowledged(4)


def test_an_epoch_from_the_future_is_refused_and_announced_and_a_present_one_is_taken(regional):
    future, slow = (epoch_at(time.time() + seconds) for seconds in (4 * 365 * 86_400, 3600))
    for _ in range(3):
        regional.say(regional.seal(1, epoch=future, new=(device("a"),)))
    regional.heard.wait(lambda _: regional.commands())
    assert [(c.order, c.epoch, c.seq) for c in regional.commands()] == [("renumber", 0, 0)]
    assert regional.devices() == []
    assert regional.held(lambda s: s.counters()) == {}
    warnings = [n.text for n in regional.watcher.notices if isinstance(n, WarningNotice)]
    assert len(warnings) == 1
    assert "days ahead of this controller's clock" in warnings[0]
    events = regional.held(lambda s: s.outbox("events/r", START, 100))
    assert sum(b"epoch_ahead" in item.data for item in events) == 1
    regional.say(regional.seal(1, epoch=slow, new=(device("b"),)))
    regional.acknowledged(1, epoch=slow)
    assert regional.devices() == ["b"]


def test_an_unreadable_message_from_the_future_is_not_committed_either(regional):
    future = epoch_at(time.time() + 10 * 86_400)
    regional.say(regional.poison(1, epoch=future))
    regional.say(regional.seal(1, new=(device("a"),)))
    regional.acknowledged(1)
    assert regional.held(lambda s: s.quarantined()) == []


def test_an_epoch_that_is_over_is_answered_with_the_one_that_is_committed(regional):
    regional.say(regional.seal(1, epoch=9))
    regional.acknowledged(1, epoch=9)
    regional.say(regional.seal(1, epoch=8, new=(device("a"),)))
    regional.heard.wait(lambda _: regional.commands())
    assert [(c.order, c.epoch, c.seq) for c in regional.commands()] == [("renumber", 9, 1)]
    assert regional.devices() == []

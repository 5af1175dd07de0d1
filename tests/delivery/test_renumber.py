"""A real local controller on the bus, whose parent the test plays: what it makes of requests."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from pdsno_cli.delivery.renumber import epoch_beyond
from pdsno_cli.delivery.subscriptions import filters
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Ack, Command, DiscoveryReport, PolicyDocument
from pdsno_cli.model.notices import RefusalNotice
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.node import Node
from tests.conftest import ONE_OF_EACH
from tests.e2e.conftest import until
from tests.messaging.recorder import Recorder

KEY = bytes(range(32))
YEARS = 4 * 365 * 86_400_000  # milliseconds
REPORTS = "discovery/r/lc"


@pytest.mark.parametrize(
    ("asked", "own", "now", "epoch"),
    [
        (Offset(200, 5), 100, 100_000, 201),  # the receiver is further
        (Offset(200, 5), 300, 100_000, None),  # we are beyond it
        (Offset(0, 0), 200_000_000, 100_000, 100_000_000),  # we are in the future, as it says
        (Offset(0, 0), 150_000_000, 100_000, None),  # by less than the slack
        (Offset(100_000_001, 3), 200_000_000, 100_000, 100_000_002),
        (Offset(2**53 - 1, 1), 100, 100_000, None),  # nothing would be left
    ],
)
def test_epoch_beyond(asked, own, now, epoch):
    assert epoch_beyond(asked, own, now) == epoch


class Local:
    """The controller under test, with nothing to discover, and a peer that speaks as its parent."""

    def __init__(self, folder):
        path = folder / "one.yaml"
        path.write_text(ONE_OF_EACH.replace("discovery: {targets: [127.66.0.1]}", "heartbeat: 5s"))
        self.topology = require(str(path))
        self.store = folder / "lc.db"
        self.codec = Codec(KEY, self.topology.topics, 1_000_000)
        self.bus = Bus()
        self.heard = Recorder()
        self.peer = BusTransport(self.bus, "rc", ["pdsno/discovery/#", "pdsno/status/lc"])
        self.peer.start(self.heard)
        self.notices = []
        self._seq = 0
        self.node = None

    def start(self):
        self.node = Node(
            topology=self.topology,
            controller_id="lc",
            key=KEY,
            store=self.store,
            connect=self.connect,
            watcher=self,
        )
        self.thread = threading.Thread(target=self.node.run)
        self.thread.start()
        self.heard.wait(lambda _: self.births())
        self.discover()
        return self.next_report()

    def notice(self, notice):
        self.notices.append(notice)

    def connect(self, name, epoch):
        link = BusTransport(self.bus, name, filters(self.topology, self.topology.controllers[name]))
        return FailoverTransport(transports={"bus": link}, order=lambda _: ("bus",))

    def end(self):
        if self.node is not None:
            self.node.stop()
            self.thread.join(10)
        self.peer.stop()

    def say(self, topic, kind, payload, *, sender="rc"):
        """Publish a message; return what publishes it once more."""
        self._seq += 1
        data = self.codec.seal(
            topic=topic, sender_id=sender, message_type=kind, payload=payload, epoch=1,
            seq=self._seq,
        )  # fmt: skip

        def publish():
            assert self.peer.publish(topic, data, qos=1, retain=False)

        publish()
        return publish

    def discover(self):
        policy = PolicyDocument(scope="global", version=1)
        self.say("pdsno/policy/global", "policy", policy, sender="gc")
        self.command("discover", sender="operator")

    def command(self, order, *, sender="rc", **members):
        payload = Command(order=order, **members)
        return self.say("pdsno/command/lc", "command", payload, sender=sender)

    def acknowledge(self, epoch, seq):
        payload = Ack(stream=REPORTS, epoch=epoch, seq=seq)
        return self.say("pdsno/ack/lc", "ack", payload)

    def messages(self, kind):
        found = [self.codec.open(topic, data) for topic, data, _ in list(self.heard.messages)]
        return [item for item in found if item.message_type == kind]

    def births(self):
        return [item for item in self.messages("status") if item.payload.state == "birth"]

    def reports(self):
        return self.messages("discovery_report")

    def next_report(self, known=0):
        self.heard.wait(lambda _: len(self.reports()) > known)
        return self.reports()[known]

    def waiting(self):
        with closing(open_reader(self.store)) as store:
            return store.outbox_count()

    def reports_waiting(self):
        with closing(open_reader(self.store)) as store:
            return REPORTS in store.outbox_streams()

    def refusals(self):
        found = [item.counts for item in self.notices if isinstance(item, RefusalNotice)]
        return found[-1] if found else {}


@pytest.fixture
def local(tmp_path):
    made = Local(tmp_path)
    yield made
    made.end()


def test_a_sender_moves_beyond_the_epoch_that_its_receiver_is_at_and_loses_nothing(local):
    first = local.start()
    beyond = first.epoch + 1000
    local.command("renumber", stream=REPORTS, epoch=beyond, seq=7)
    again = local.next_report(1)
    assert (again.epoch, again.seq) == (beyond + 1, 1)
    assert again.payload == first.payload
    assert isinstance(again.payload, DiscoveryReport)
    assert again.correlation_id == first.correlation_id
    assert local.births()[-1].epoch > again.epoch
    local.acknowledge(again.epoch, again.seq)
    local.discover()
    later = local.next_report(2)
    assert later.epoch == local.births()[-1].epoch
    assert later.seq == 1


def test_a_sender_comes_back_from_the_future_when_its_own_clock_says_so(local):
    with closing(Store.open(local.store)) as store, store.transaction() as tx:
        tx.set_epoch(epoch_at(time.time()) + YEARS)
    first = local.start()
    assert first.epoch > epoch_at(time.time()) + YEARS / 2
    local.command("renumber", stream=REPORTS)
    again = local.next_report(1)
    assert again.epoch <= epoch_at(time.time() + 1)
    assert again.payload == first.payload
    local.acknowledge(again.epoch, again.seq)
    assert local.births()[-1].epoch <= epoch_at(time.time() + 2)
    with closing(open_reader(local.store)) as store:
        assert all(item.epoch <= epoch_at(time.time() + 2) for item in store.sent())


def test_a_sender_whose_numbers_are_as_they_should_be_keeps_them(local):
    first = local.start()
    local.command("renumber", stream=REPORTS, epoch=first.epoch - 5, seq=1)
    local.acknowledge(first.epoch, first.seq)
    local.discover()
    later = local.next_report(1)
    assert (later.epoch, later.seq) == (first.epoch, 2)


def test_what_a_request_for_new_numbers_covers_counts_as_acknowledged(local):
    first = local.start()
    local.command("renumber", stream=REPORTS, epoch=first.epoch, seq=first.seq)
    until(lambda: not local.reports_waiting(), "the report to be dropped")


@pytest.mark.parametrize(("epochs", "seqs"), [(0, 1), (1, 0), (YEARS, 0)])
def test_an_acknowledgement_of_what_was_never_sent_is_refused_and_drops_nothing(
    local, epochs, seqs
):
    first = local.start()
    local.acknowledge(first.epoch + epochs, first.seq + seqs)
    until(lambda: local.refusals().get("unsent") == 1, "the refusal")
    assert local.waiting() >= 1
    local.acknowledge(first.epoch, first.seq)
    until(lambda: not local.reports_waiting(), "the report to be dropped")


def test_a_request_that_is_replayed_is_carried_out_once(local):
    local.start()
    again = local.command("resend", stream=REPORTS)
    local.next_report(1)
    for _ in range(50):
        again()
    until(lambda: local.refusals().get("replayed") == 50, "the refusals")
    assert len(local.reports()) == 2


def test_many_requests_at_once_have_a_stream_sent_again_once(local):
    local.start()
    for _ in range(100):
        local.command("resend", stream=REPORTS)
    local.next_report(1)
    local.discover()  # behind all of the requests
    until(lambda: local.reports()[-1].seq == 2, "the report that was ordered")
    assert [item.seq for item in local.reports()].count(1) <= 4

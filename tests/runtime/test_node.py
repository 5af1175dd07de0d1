"""A node from start to end, on a transport that does as the test says."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.messaging.transport import Alarm, FailoverMember, Loss
from pdsno_cli.model.errors import StateError, StoreUnavailableError
from pdsno_cli.model.notices import ReconfiguredNotice, StateNotice, WarningNotice
from pdsno_cli.model.topics import TopicRule
from pdsno_cli.nib.database import StoreInUseError
from pdsno_cli.nib.offsets import START
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.sqlite import Sqlite
from pdsno_cli.runtime.node import Node
from pdsno_cli.runtime.supervisor_pipe import Reconfiguration
from pdsno_cli.spec.topology import Policy
from tests.conftest import ONE_OF_EACH
from tests.e2e.conftest import until

KEY = bytes(range(32))


class Wire(FailoverMember):
    """Connects when the test says so, and keeps what was published and the farewell."""

    def __init__(self) -> None:
        self.listener = None
        self.published: list[tuple[str, bytes]] = []
        self.sent: list[tuple[str, bytes, int]] = []  # with QoS
        self.farewell = None
        self.started = threading.Event()

    def start(self, listener) -> None:
        self.listener = listener
        self.started.set()

    def publish(self, topic, data, *, qos, retain, expiry=None) -> bool:
        self.published.append((topic, data))
        self.sent.append((topic, data, qos))
        return True

    def subscribe(self, topic_filter) -> None: ...
    def reconnect(self, reason) -> None: ...

    def stop(self, farewell=None) -> None:
        self.farewell = farewell


class Run:
    """The node of the regional controller on a thread, and what it shows."""

    def __init__(self, folder) -> None:
        (folder / "one.yaml").write_text(ONE_OF_EACH)
        self.topology = require(str(folder / "one.yaml"))
        self.codec = Codec(KEY, self.topology.topics, 1_000_000)
        self.wires: list[Wire] = []
        self.notices = []
        self.store = folder / "rc.db"
        self.error = None
        self.node = self.make()
        self.thread = threading.Thread(target=self._run)

    def make(self) -> Node:
        return Node(
            topology=self.topology, controller_id="rc", key=KEY, store=self.store,
            connect=self.connect, watcher=self,
        )  # fmt: skip

    def connect(self, name, epoch) -> FailoverTransport:
        wire = Wire()
        self.wires.append(wire)
        return FailoverTransport(transports={"mqtt": wire}, order=lambda _: ("mqtt",))

    def _run(self) -> None:
        try:
            self.node.run()
        except StateError as exc:
            self.error = exc

    def notice(self, notice) -> None:
        self.notices.append(notice)

    def start(self) -> Wire:
        self.thread.start()
        until(lambda: self.wires and self.wires[-1].started.is_set(), "the start")
        return self.wires[-1]

    def stop(self) -> None:
        self.node.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.notices if isinstance(one, StateNotice)]

    @property
    def last(self) -> StateNotice:
        return [one for one in self.notices if isinstance(one, StateNotice)][-1]

    def statuses(self, wire: Wire) -> list[str]:
        topic = self.topology.topics.status("rc")
        opened = [self.codec.open(on, data) for on, data in list(wire.published) if on == topic]
        return [one.payload.state for one in opened]


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path)
    yield made
    if made.thread.is_alive():
        made.stop()


def test_a_node_is_ready_once_its_birth_is_sent_and_says_farewell_at_a_stop(run):
    wire = run.start()
    assert run.states == ["connecting"]
    wire.listener.on_up(1, False)
    until(lambda: "ready" in run.states, "readiness")
    assert run.statuses(wire)[0] == "birth"
    run.stop()
    assert run.states == ["connecting", "ready", "stopped"]
    death = run.codec.open(wire.farewell.topic, wire.farewell.data)
    assert (death.payload.state, death.payload.reason) == ("death", "stop")
    assert run.node.fatal is None


def test_a_will_is_the_signed_death_of_its_connection(run):
    wire = run.start()
    will = wire.listener.will(1)
    death = run.codec.open(will.topic, will.data)
    assert (death.payload.reason, death.payload.connection, death.seq) == ("will", 1, 0)
    assert (will.qos, will.retain) == (1, True)


def test_a_node_that_never_connected_says_no_farewell(run):
    wire = run.start()
    run.stop()
    assert wire.farewell is None


def test_a_lost_connection_is_shown_with_its_reason_and_the_next_is_a_birth(run):
    wire = run.start()
    wire.listener.on_up(1, False)
    wire.listener.on_down(Loss(reason="the cable", retry_in=1.0))
    wire.listener.on_up(2, False)
    until(lambda: run.states.count("ready") == 2, "the second connection")
    (lost,) = [one for one in run.notices if getattr(one, "state", "") == "disconnected"]
    assert lost.detail == "the cable"
    assert [one for one in run.statuses(wire) if one == "birth"] == ["birth", "birth"]


def test_a_loss_that_is_final_ends_the_node_with_its_reason(run):
    wire = run.start()
    wire.listener.on_down(Loss(reason="superseded"))
    run.thread.join(20)
    assert run.node.fatal == "superseded"
    assert run.states[-1] == "failed"


def test_an_alarm_is_shown_and_kept_as_an_event(run):
    wire = run.start()
    wire.listener.on_alarm(Alarm(event="odd", text="look here", detail={"broker": "b"}))
    until(lambda: any(isinstance(one, WarningNotice) for one in run.notices), "the warning")
    run.stop()
    with open_reader(run.store) as store:
        (kept,) = store.outbox("events/system", START, 10)
    event = run.codec.open(kept.topic, kept.data).payload
    assert (event.event, event.severity, event.detail) == ("odd", "warning", {"broker": "b"})


def test_each_start_has_a_later_epoch(run):
    run.start()
    run.stop()
    first = run.last.epoch
    run.node, run.thread = run.make(), threading.Thread(target=run._run)
    run.start()
    run.stop()
    assert run.last.epoch > first


def test_a_stop_before_the_start_ends_it_at_once(run):
    run.node.stop()
    run.thread.start()
    run.thread.join(20)
    assert not run.thread.is_alive()
    assert run.states[-1] == "stopped"


def test_a_store_that_is_damaged_ends_the_node_with_an_error(run):
    run.store.write_bytes(b"this is text, not a database, and long enough to be looked at" * 50)
    run.thread.start()
    run.thread.join(20)
    assert isinstance(run.error, StateError)
    assert str(run.store) in str(run.error)


class Server(Sqlite):
    """A database whose server goes away and comes back as the test says."""

    error: Exception | None = None

    def connect(self, *, read_only=False):
        self.check()
        return super().connect(read_only=read_only)

    def begin(self, connection, *, write):
        self.check()
        super().begin(connection, write=write)

    def check(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def server(run):
    run.store = Server(run.store)
    run.node = run.make()
    run.thread = threading.Thread(target=run._run)
    return run.store


def lose(run, error) -> None:
    """Make the server go away, and the node write to it."""
    run.store.error = error
    run.wires[-1].listener.on_alarm(Alarm(event="odd", text="look here", detail={}))
    until(lambda: run.states[-1] == "disconnected", "the loss")


def test_a_node_opens_its_store_again_in_a_later_epoch_once_the_server_is_back(run, server):
    run.start().listener.on_up(1, False)
    until(lambda: "ready" in run.states, "readiness")
    lose(run, StoreUnavailableError("no server"))
    lost = run.last
    assert lost.detail.startswith("no server; next try in ")
    assert run.wires[0].farewell is not None
    server.error = None
    until(lambda: len(run.wires) == 2 and run.wires[1].started.is_set(), "another start")
    run.wires[1].listener.on_up(1, False)
    until(lambda: run.states[-1] == "ready", "readiness again")
    assert run.last.epoch > lost.epoch
    run.stop()
    assert run.node.fatal is None


def test_a_node_waits_for_a_server_that_is_not_up_yet_and_a_stop_ends_the_wait(run, server):
    server.error = StoreUnavailableError("no server")
    run.thread.start()
    until(lambda: "disconnected" in run.states, "a try")
    run.stop()
    assert run.states[-1] == "stopped"
    assert (run.wires, run.error, run.node.fatal) == ([], None, None)


def test_a_store_of_another_process_ends_the_node_only_before_it_was_ever_opened(run, server):
    in_use = StoreInUseError("in use by another process")
    run.start().listener.on_up(1, False)
    lose(run, StoreUnavailableError("no server"))
    server.error = in_use
    until(lambda: "in use" in str(run.last.detail), "a lock that is left")
    run.stop()
    run.node, run.thread = run.make(), threading.Thread(target=run._run)
    run.thread.start()
    run.thread.join(20)
    assert run.error is in_use


def order(run, number, *, removed=(), **changes) -> Reconfiguration:
    """An order for the topology of the run with another heartbeat, or other fields."""
    topology = run.topology
    spec = replace(topology.controllers["rc"], heartbeat=0.1)
    controllers = {**topology.controllers, "rc": spec}
    return Reconfiguration(
        number=number, topology=replace(topology, controllers=controllers, **changes),
        removed=removed,
    )  # fmt: skip


def answered(run) -> list[int]:
    return [one.number for one in run.notices if isinstance(one, ReconfiguredNotice)]


def test_a_node_is_reconfigured_without_another_connection(run):
    wire = run.start()
    wire.listener.on_up(1, False)
    until(lambda: "ready" in run.states, "readiness")
    rules = {"status": TopicRule(qos=1, retain=True)}
    run.node.reconfigure(order(run, 4, topics=replace(run.topology.topics, rules=rules)))
    until(lambda: answered(run) == [4], "the answer")
    until(lambda: run.statuses(wire).count("heartbeat") >= 3, "heartbeats at the new interval")
    assert run.statuses(wire).count("birth") == 1
    status = run.topology.topics.status("rc")
    assert [qos for topic, _, qos in list(wire.sent) if topic == status][-1] == 1
    assert len(run.wires) == 1


def test_an_order_before_the_start_is_carried_out_at_the_start(run):
    run.node.reconfigure(order(run, 1))
    wire = run.start()
    until(lambda: answered(run) == [1], "the answer")
    wire.listener.on_up(1, False)
    until(lambda: run.statuses(wire).count("heartbeat") >= 2, "heartbeats at the new interval")


def test_a_changed_policy_is_published_with_a_later_version(run):
    wire = run.start()
    wire.listener.on_up(1, False)
    topic = run.topology.topics.policy("r")

    def published() -> list:
        return [run.codec.open(on, data).payload for on, data in [*wire.published] if on == topic]

    until(published, "the policy")
    region = replace(run.topology.regions["r"], policy=Policy(scan_interval=7.0))
    run.node.reconfigure(order(run, 1, regions={"r": region}))
    until(lambda: published()[-1].scan_interval == 7.0, "the changed policy")
    first, *_, last = published()
    assert last.version > first.version
    count = len(published())
    run.node.reconfigure(order(run, 2, regions={"r": region}))
    until(lambda: answered(run) == [1, 2], "the answer")
    assert len(published()) == count  # nothing has changed

"""Two chains, a parent's and a child's, over a real Mosquitto and real HTTP."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pdsno_cli.messaging import failover_policy
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.messaging.http_challenge import Identity, Nonces
from pdsno_cli.messaging.http_client import HttpClient
from pdsno_cli.messaging.http_sender import HttpReceiver
from pdsno_cli.messaging.http_server import HttpIngress, HttpServer
from pdsno_cli.messaging.http_wire import body_limit
from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.messaging.transport import Loss, Publication
from pdsno_cli.model.addresses import Address
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.topics import matches
from tests.conftest import free_port
from tests.e2e.conftest import until
from tests.messaging.brokers import LIMIT
from tests.messaging.http_site import (
    CHILD,
    CHILD_WANTS,
    PARENT,
    SIGNER,
    WANTED,
    make_queues,
    sealed,
    status,
    topic_of,
)
from tests.messaging.recorder import Recorder
from tests.messaging.samples import TOPICS

REPORT = topic_of("discovery_report")


class Mortal(Recorder):
    """A recorder with a will, which numbers it."""

    def __init__(self) -> None:
        super().__init__(will_topic="wills", retain=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(failover_policy, "GRACE", 0.1)
    monkeypatch.setattr(failover_policy, "DAMPING", 0.3)


@pytest.fixture
def broker(mosquitto):
    return mosquitto()


@pytest.fixture
def chains():
    made = []

    def start(chain: FailoverTransport) -> tuple[FailoverTransport, Mortal]:
        recorder = Mortal()
        made.append(chain)
        chain.start(recorder)
        return chain, recorder

    yield start
    for chain in reversed(made):
        chain.stop()


def mqtt(port: int, client_id: str, *filters: str) -> MqttTransport:
    return MqttTransport(
        addresses=[Address("127.0.0.1", port)], client_id=client_id, filters=filters
    )


def ingress(port: int) -> HttpIngress:
    return HttpIngress(
        controller_id=PARENT,
        epoch=1,
        server=HttpServer(port=port),
        queues=make_queues(),
        nonces=Nonces(PARENT, SIGNER),
        receives=lambda topic: any(matches(item, topic) for item in WANTED),
        acknowledges=lambda topic: topic == REPORT,
        max_body=body_limit(LIMIT),
    )


WHO = Identity(controller_id=CHILD, signer=SIGNER)


class Site:
    """The two chains; ``order`` is that of every class."""

    def __init__(
        self, chains, mqtt_port: int, *order: str, on_demand: tuple[str, ...] = ("http",)
    ) -> None:
        names = order or ("mqtt", "http")
        port = free_port()
        above = HttpReceiver(
            controller_id=PARENT, filters=WANTED, address=lambda: f"127.0.0.1:{port}", parent=True
        )
        parent = {"mqtt": mqtt(mqtt_port, PARENT, *WANTED, "wills"), "http": HttpClient([])}
        child = {
            "mqtt": mqtt(mqtt_port, CHILD, *CHILD_WANTS),
            "http": HttpClient([above], identity=WHO),
        }
        if names == ("first", "second"):
            parent, child = (dict(zip(names, x.values(), strict=True)) for x in (parent, child))
        self.parent, self.above = chains(
            FailoverTransport(
                transports={name: parent[name] for name in names},
                order=lambda _: names,
                ingresses={names[-1]: ingress(port)},
                on_demand=on_demand,
            )
        )
        self.child, self.below = chains(
            FailoverTransport(
                transports={name: child[name] for name in names},
                order=lambda _: names,
                on_demand=on_demand,
            )
        )
        self.above.wait_up()
        self.below.wait_up()

    def report(self, seq: int) -> bytes:
        data = sealed("discovery_report", seq=seq)
        assert self.child.publish(REPORT, data, qos=1, retain=False)
        return data

    def beat(self, seq: int) -> None:
        self.child.publish(TOPICS.status(CHILD), status(seq), qos=0, retain=True)

    def reports(self) -> list[bytes]:
        return [data for topic, data, _ in self.above.messages if topic == REPORT]


def test_broker_lost_and_back_moves_everything_to_http_and_back(broker, chains):
    site = Site(chains, broker.port)
    first = site.report(1)
    site.above.wait(lambda _: site.reports() == [first])
    assert (site.parent.active, site.child.active) == ("mqtt", "mqtt")

    broker.kill()
    site.below.wait_up(2)
    site.above.wait_up(2)
    assert site.below.downs
    assert (site.parent.active, site.child.active) == ("http", "http")
    assert site.child.is_degraded
    second = site.report(2)
    site.above.wait(lambda _: site.reports() == [first, second])
    ack = sealed("ack")
    assert site.parent.publish(TOPICS.ack(CHILD), ack, qos=1, retain=False)
    site.beat(1)
    site.below.wait(lambda r: ack in r.data)

    broker.start()
    beats = iter(range(2, 1000))
    site.above.wait_up(3)
    while site.child.active != "mqtt":  # it learns from an answer that its parent is on MQTT
        site.beat(next(beats))
        site.below._changed.acquire()
        site.below._changed.wait(0.1)
        site.below._changed.release()
    site.below.wait_up(3)
    third = site.report(3)
    site.above.wait(lambda _: site.reports() == [first, second, third])
    carried = site.child.sent_counts
    assert carried["mqtt"] >= 2
    assert carried["http"] >= 2
    numbers = [number for number, _ in site.below.ups]
    assert numbers == sorted(set(numbers))


def test_policy_missed_without_the_broker_arrives_with_the_first_poll(broker, chains):
    site = Site(chains, broker.port)
    broker.kill()
    site.above.wait_up(2)
    policy = sealed("policy")
    assert site.parent.publish(topic_of("policy"), policy, qos=1, retain=True)
    site.below.wait_up(2)
    site.beat(1)
    site.below.wait(lambda r: policy in r.data)


def test_start_without_a_broker_falls_back(chains):
    site = Site(chains, free_port())
    assert (site.parent.active, site.child.active) == ("http", "http")
    assert site.below.ups[0][1] is False
    report = site.report(1)
    site.above.wait(lambda _: site.reports() == [report])


def test_no_transport_is_treated_by_its_name(broker, chains):
    site = Site(chains, broker.port, "first", "second", on_demand=("second",))
    assert (site.parent.active, site.child.active) == ("first", "first")
    broker.kill()
    site.below.wait_up(2)
    site.above.wait_up(2)
    assert (site.parent.active, site.child.active) == ("second", "second")
    report, ack = site.report(1), sealed("ack")
    site.above.wait(lambda _: site.reports() == [report])
    assert site.parent.publish(TOPICS.ack(CHILD), ack, qos=1, retain=False)
    # Nobody else is there to receive what none of the children comes for.
    assert site.parent.publish(TOPICS.ack("nobody"), ack, qos=1, retain=False)
    site.beat(1)
    site.below.wait(lambda r: ack in r.data)


class Rejoining(BusTransport):
    """A member of a bus that can be lost and come back."""

    def lose(self) -> None:
        self._bus.drop(self._client_id)

    def rejoin(self) -> None:
        self.start(self._listener._listener)


def test_transport_on_demand_runs_only_while_the_best_is_lost(chains):
    links = {name: Rejoining(Bus(), "a", ("t",)) for name in ("one", "two", "three")}
    chain, received = chains(
        FailoverTransport(transports=links, order=lambda _: tuple(links), on_demand=("two",))
    )
    received.wait(lambda _: chain.active == "one")
    assert set(chain.states) <= {"one", "three"}
    links["one"].lose()
    received.wait(lambda _: chain.active == "two")  # by way of the third, which was up already
    links["one"].rejoin()
    received.wait(lambda _: chain.active == "one")
    until(lambda: "two" not in chain.states, "the end of the second")


def test_chain_of_mqtt_alone_stays_down_until_the_broker_is_back(broker, chains):
    chain, recorder = chains(FailoverTransport(transports={"mqtt": mqtt(broker.port, "a", "t")}, order=lambda _: ("mqtt",)))  # fmt: skip
    recorder.wait_up()
    assert chain.publish("t", b"1", qos=1, retain=False)
    recorder.wait_messages(1)
    broker.kill()
    recorder.wait(lambda r: len(r.downs) > 1)  # the loss, and an attempt in vain
    assert not chain.publish("t", b"2", qos=1, retain=False)
    assert chain.active is None
    assert not chain.is_degraded
    broker.start()
    recorder.wait_up(2)
    assert chain.sent_counts == {"mqtt": 1}


def test_class_goes_its_own_way(broker, chains):
    names = ("mqtt", "http")
    port = free_port()
    links = {
        "mqtt": mqtt(broker.port, CHILD),
        "http": HttpClient(
            [HttpReceiver(controller_id=PARENT, filters=WANTED,
                      address=lambda: f"127.0.0.1:{port}", parent=True)]
        ),
    }  # fmt: skip
    _above, recorder = chains(
        FailoverTransport(
            transports={"mqtt": mqtt(broker.port, PARENT, *WANTED), "http": HttpClient([])},
            order=lambda _: names,
            ingresses={"http": ingress(port)},
            on_demand=("http",),
        )
    )
    recorder.wait_up()
    orders = {REPORT: ("http", "mqtt"), TOPICS.status(CHILD): ("mqtt",)}
    child, received = chains(FailoverTransport(transports=links, order=orders.__getitem__))
    received.wait(lambda _: child.active == "mqtt")  # HTTP may well have been up before
    report = sealed("discovery_report")

    def reported(_) -> bool:
        child.publish(REPORT, report, qos=1, retain=False)
        return "http" in child.sent_counts

    recorder.wait(reported)
    child.publish(TOPICS.status(CHILD), status(1), qos=1, retain=False)
    recorder.wait(lambda r: TOPICS.status(CHILD) in [topic for topic, *_ in r.messages])
    assert child.active == "mqtt"
    assert child.sent_counts["mqtt"] >= 1


def test_late_will_carries_the_number_of_its_own_connection(broker, chains):
    site = Site(chains, broker.port)
    number = site.below.ups[0][0]
    site.child._transports["mqtt"]._client._sock.shutdown(socket.SHUT_RDWR)
    site.below.wait_up(2)
    site.above.wait(lambda r: b"lost %d" % number in r.data)
    assert site.below.ups[1][0] > number


def test_final_loss_is_passed_on_though_another_transport_is_active(broker, chains):
    chain, recorder = chains(
        FailoverTransport(
            transports={"mqtt": mqtt(broker.port, "a"), "http": HttpClient([])},
            order=lambda _: (),
            on_demand=("http",),
        )
    )
    recorder.wait_up()
    broker.kill()
    recorder.wait_up(2)
    chain.member_down("mqtt", Loss(reason="another process runs as this controller"))
    assert recorder.ends == ["another process runs as this controller"]


def test_states_give_reason_start_and_next_try_of_a_lost_transport(broker, chains):
    chain, recorder = chains(
        FailoverTransport(
            transports={"mqtt": mqtt(broker.port, "a"), "http": HttpClient([])},
            order=lambda _: (),
            on_demand=("http",),
        )
    )
    changes = threading.Event()
    chain.watch(changes.set)
    begun = time.time()
    recorder.wait_up()
    assert chain.states["mqtt"].up
    assert chain.states["mqtt"].reason is None
    changes.clear()
    broker.kill()
    recorder.wait_up(2)
    assert changes.is_set()
    away = chain.states["mqtt"]
    assert not away.up
    assert begun <= away.since <= time.time()
    assert away.next_try is not None
    assert away.next_try >= away.since
    assert "broker" in away.reason
    assert list(chain.states) == ["mqtt", "http"]
    first = away.since
    deadline = time.monotonic() + 10
    while "refused" not in chain.states["mqtt"].reason:
        changes.clear()
        assert changes.wait(deadline - time.monotonic())
    assert chain.states["mqtt"].since == first


def test_farewell_goes_over_the_active_transport(chains):
    site = Site(chains, free_port())
    farewell = Publication(topic=TOPICS.status(CHILD), data=status(9), qos=1, retain=True)
    site.child.stop(farewell)
    site.above.wait(lambda r: farewell.data in r.data)


def test_start_fails_if_the_port_is_in_use(chains):
    port = free_port()
    made = ingress(port)
    chains(
        FailoverTransport(
            transports={"http": HttpClient([])}, order=lambda _: (), ingresses={"http": made}
        )
    )
    other = FailoverTransport(
        transports={"http": HttpClient([])}, order=lambda _: (), ingresses={"http": ingress(port)}
    )
    with pytest.raises(OperationError, match=str(port)):
        other.start(Recorder())


def test_bus_under_the_same_chain(chains):
    bus = Bus()
    names = ("bus",)
    one, _ = chains(
        FailoverTransport(transports={"bus": BusTransport(bus, "a", ())}, order=lambda _: names)
    )
    two, received = chains(
        FailoverTransport(transports={"bus": BusTransport(bus, "b", ("t",))}, order=lambda _: names)
    )
    received.wait_up()
    received.wait(lambda _: one.publish("t", b"1", qos=1, retain=False))
    received.wait_messages(1)
    assert (one.active, two.active) == ("bus", "bus")

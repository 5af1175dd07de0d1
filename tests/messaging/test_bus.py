"""The in-process bus behaves as a broker does."""

from __future__ import annotations

import threading

import pytest

from pdsno_cli.messaging import bus as module
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.transport import Arrival, Publication, Transport
from tests.messaging.recorder import Recorder


def joined(bus: Bus, name: str, *filters: str, listener: Recorder | None = None):
    transport: Transport = BusTransport(bus, name, filters)
    recorder = listener or Recorder(f"status/{name}")
    transport.start(recorder)
    recorder.wait_up()
    return transport, recorder


def test_message_reaches_every_subscriber():
    bus = Bus()
    one, _ = joined(bus, "one")
    two, received = joined(bus, "two", "a/+", "b/#")
    three, deaf = joined(bus, "three", "c/+")
    for topic in ("a/1", "a/1/2", "b", "b/1/2"):
        assert one.publish(topic, topic.encode(), qos=1, retain=False)
    received.wait_messages(3)
    assert received.messages == [(t, t.encode(), False) for t in ("a/1", "b", "b/1/2")]
    for transport in (one, two, three):
        transport.stop()
    assert deaf.messages == []


def test_message_arrives_once_if_two_filters_match():
    bus = Bus()
    one, received = joined(bus, "one", "a/#", "a/+", "end")
    one.publish("a/b", b"1", qos=1, retain=False)
    one.publish("end", b"2", qos=1, retain=False)
    received.wait(lambda r: b"2" in r.data)
    assert received.data == [b"1", b"2"]
    one.stop()


def test_a_retained_message_reaches_a_late_subscriber_until_it_is_cleared():
    bus = Bus()
    one, _ = joined(bus, "one")
    one.publish("a/1", b"old", qos=1, retain=True)
    one.publish("a/1", b"new", qos=1, retain=True)
    one.publish("a/2", b"gone", qos=1, retain=True)
    one.publish("a/2", b"", qos=1, retain=True)
    two, received = joined(bus, "two", "a/+")
    received.wait_messages(1)
    one.publish("a/1", b"live", qos=1, retain=True)
    received.wait_messages(2)
    assert received.messages == [("a/1", b"new", True), ("a/1", b"live", False)]
    one.stop()
    two.stop()


def test_a_dropped_member_leaves_its_will_and_may_come_back():
    bus = Bus()
    one, gone = joined(bus, "one")
    two, received = joined(bus, "two", "status/+")
    bus.drop("one")
    received.wait_messages(1)
    gone.wait(lambda r: r.downs)
    assert received.messages == [("status/one", b"lost 1", False)]
    assert not one.publish("a", b"", qos=1, retain=False)
    one.start(gone)
    gone.wait_up(2)
    assert gone.ups == [(1, False), (2, False)]
    bus.drop("one")
    received.wait_messages(2)
    assert received.data[1] == b"lost 2"
    one.stop()
    two.stop()


def test_a_stopped_member_leaves_its_farewell_and_no_will():
    bus = Bus()
    one, _ = joined(bus, "one")
    two, received = joined(bus, "two", "#")
    one.stop(Publication(topic="status/one", data=b"bye", qos=1, retain=True))
    assert not one.publish("a", b"late", qos=1, retain=False)
    bus.drop("one")
    two.publish("end", b"end", qos=1, retain=False)
    received.wait(lambda r: b"end" in r.data)
    assert received.data == [b"bye", b"end"]
    two.stop()


def test_a_second_member_of_one_name_takes_over():
    bus = Bus()
    watcher, received = joined(bus, "watcher", "status/+")
    first, evicted = joined(bus, "one")
    second, recorder = joined(bus, "one")
    evicted.wait(lambda r: r.ends)
    assert "'one'" in evicted.ends[0]
    received.wait_messages(1)
    assert not first.publish("a", b"", qos=1, retain=False)
    first.stop()  # must not remove the second
    assert second.publish("a", b"", qos=1, retain=False)
    assert recorder.ends == []
    second.stop()
    watcher.stop()


def test_the_order_of_each_publisher_is_kept_under_load():
    bus = Bus()
    watcher, received = joined(bus, "watcher", "#")
    senders = [joined(bus, f"s{n}")[0] for n in range(4)]

    def send(number: int) -> None:
        for count in range(500):
            assert senders[number].publish(f"t/{number}", b"%d" % count, qos=1, retain=False)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    received.wait_messages(2000)
    for number in range(4):
        own = [int(data) for topic, data, _ in received.messages if topic == f"t/{number}"]
        assert own == list(range(500))
    for transport in (*senders, watcher):
        transport.stop()


class Echo(Recorder):
    """Publishes from within on_message, as a controller would not but may."""

    transport: Transport

    def on_message(self, arrival: Arrival) -> None:
        super().on_message(arrival)
        if int(arrival.data) < 100:
            self.transport.publish(
                arrival.topic, b"%d" % (int(arrival.data) + 1), qos=1, retain=False
            )


def test_a_listener_may_publish_while_it_listens():
    bus = Bus()
    echo = Echo()
    echo.transport, _ = joined(bus, "echo", "a", listener=echo)
    echo.transport.publish("a", b"1", qos=1, retain=False)
    echo.wait_messages(100)
    assert echo.data == [b"%d" % n for n in range(1, 101)]
    echo.transport.stop()


class Broken(Recorder):
    """Raises at every message."""

    def on_message(self, arrival: Arrival) -> None:
        raise RuntimeError(arrival.topic)


def test_failing_listener_does_not_affect_others(caplog):
    bus = Bus()
    broken, _ = joined(bus, "broken", "a", listener=Broken())
    two, received = joined(bus, "two", "a")
    for data in (b"1", b"2"):
        two.publish("a", data, qos=1, retain=False)
    received.wait_messages(2)
    broken.stop()
    two.stop()
    assert "RuntimeError" in caplog.text


class Slow(Recorder):
    """Listens only once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def on_message(self, arrival: Arrival) -> None:
        self.go.wait(10)
        super().on_message(arrival)


def test_publish_never_blocks_and_returns_false_when_the_bus_is_full(monkeypatch):
    monkeypatch.setattr(module, "CAPACITY", 10)
    bus = Bus()
    one, slow = joined(bus, "one", "a", listener=Slow())
    taken = [one.publish("a", b"%d" % n, qos=1, retain=False) for n in range(20)]
    assert taken[:10] == [True] * 10
    assert taken[-1] is False
    slow.go.set()
    slow.wait_messages(sum(taken))
    one.stop()


@pytest.mark.parametrize("topic", ["", "a/+", "#"])
def test_publish_refuses_an_invalid_topic_name(topic):
    bus = Bus()
    one, _ = joined(bus, "one")
    with pytest.raises(ValueError, match="topic name"):
        one.publish(topic, b"", qos=0, retain=False)
    one.stop()


def test_the_dispatcher_ends_with_the_last_member():
    bus = Bus()
    one, _ = joined(bus, "one")
    thread = bus._thread
    assert thread is not None
    one.stop()
    thread.join(5)
    assert not thread.is_alive()
    again, recorder = joined(bus, "one")
    assert recorder.ups == [(1, False)]
    again.stop()

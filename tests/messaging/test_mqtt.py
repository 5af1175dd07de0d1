"""The MQTT transport against two brokers and two versions of the protocol."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pdsno_cli.messaging import mqtt
from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.messaging.transport import Arrival, Publication
from pdsno_cli.model.addresses import Address
from tests.messaging.brokers import Embedded
from tests.messaging.recorder import Recorder


def test_who_connects_right_after_the_start_stays_connected(connect):
    for _ in range(5):
        broker = Embedded("3.1.1")
        broker.start()
        _, first = connect(broker, "first")
        _, second = connect(broker, "second", "a/#")
        first.wait_up()
        second.wait_up()
        assert first.downs == second.downs == []
        broker.kill()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_arrive_in_order(broker, connect, topic_root, qos):
    sender, up = connect(broker, "sender")
    _, received = connect(broker, "receiver", f"{topic_root}/+/x", f"{topic_root}/all/#", qos=qos)
    up.wait_up()
    received.wait_up()
    count = 300 if qos < 2 else 15  # Mosquitto reorders what is over its window of QoS 2
    for number in range(count):
        sent = sender.publish(f"{topic_root}/{number % 3}/x", b"%d" % number, qos=qos, retain=False)
        assert sent, up.downs
    assert sender.publish(f"{topic_root}/0/y", b"not subscribed", qos=qos, retain=False)
    assert sender.publish(f"{topic_root}/all/1/2/3", b"end", qos=qos, retain=False)
    received.wait(lambda r: b"end" in r.data and len(r.data) > count)
    # The embedded broker reads the log of each filter by itself: "end" may come before the others.
    assert [data for data in received.data if data != b"end"] == [b"%d" % n for n in range(count)]
    assert not any(retained for _, _, retained in received.messages)
    assert received.ups == [(1, False)]


def test_a_retained_message_reaches_a_late_subscriber(broker, connect, topic_root):
    sender, up = connect(broker, "sender")
    up.wait_up()
    for data in (b"old", b"new"):
        assert sender.publish(f"{topic_root}/a", data, qos=1, retain=True)
    assert sender.publish(f"{topic_root}/b", b"gone", qos=1, retain=True)
    assert sender.publish(f"{topic_root}/b", b"", qos=1, retain=True)
    sender.stop(Publication(topic=f"{topic_root}/c", data=b"bye", qos=1, retain=True))
    _, received = connect(broker, "late", f"{topic_root}/#")
    received.wait_messages(2)
    assert sorted(received.messages) == [
        (f"{topic_root}/a", b"new", True),
        (f"{topic_root}/c", b"bye", True),
    ]


def test_a_large_message_arrives_whole_and_one_over_the_limit_is_not_sent(
    broker, connect, topic_root
):
    sender, up = connect(broker, "sender", max_payload=1_500_000)
    _, received = connect(broker, "receiver", f"{topic_root}/#")
    up.wait_up()
    received.wait_up()
    data = os.urandom(1_500_000)
    assert sender.publish(f"{topic_root}/a", data, qos=1, retain=False), up.downs
    with pytest.raises(ValueError, match="over the broker's limit"):
        sender.publish(f"{topic_root}/a", data + b"x", qos=1, retain=False)
    received.wait_messages(1)
    assert received.data == [data]
    assert up.downs == []


CHILD = """
import sys, threading
from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.messaging.transport import Arrival, Publication
from pdsno_cli.model.addresses import Address
class Listener:
    def will(self, connection):
        return Publication(topic=sys.argv[3], data=b"lost %d" % connection, qos=1, retain=True)
    def on_up(self, connection, session_present):
        print("up", flush=True)
    def on_message(self, *_): pass
    def on_down(self, loss): print(loss.reason, flush=True)
    def on_alarm(self, alarm): print(alarm.text, flush=True)
MqttTransport(
    addresses=[Address("127.0.0.1", int(sys.argv[1]))], protocol=sys.argv[2], client_id="child"
).start(Listener())
threading.Event().wait()
"""


def test_the_will_of_a_killed_process_is_published_and_retained(broker, connect, topic_root):
    _, received = connect(broker, "watcher", f"{topic_root}/+")
    received.wait_up()
    arguments = [str(broker.port), broker.protocol, f"{topic_root}/status"]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"up\n"
        assert received.messages == []
        child.send_signal(signal.SIGKILL)
    received.wait_messages(1)
    assert received.messages == [(f"{topic_root}/status", b"lost 1", False)]
    _, late = connect(broker, "late", f"{topic_root}/+")
    late.wait_messages(1)
    assert late.messages == [(f"{topic_root}/status", b"lost 1", True)]


def test_a_clean_stop_publishes_the_farewell_and_no_will(broker, connect, topic_root, monkeypatch):
    monkeypatch.setattr(mqtt, "_FAREWELL", 30.0)
    _, received = connect(broker, "watcher", f"{topic_root}/+")
    received.wait_up()
    leaving, recorder = connect(broker, "leaving", listener=Recorder(f"{topic_root}/status"))
    recorder.wait_up()
    began = time.monotonic()
    leaving.stop(Publication(topic=f"{topic_root}/status", data=b"bye", qos=1, retain=True))
    assert time.monotonic() - began < 15  # its PUBACK came
    assert not leaving.publish(f"{topic_root}/a", b"", qos=1, retain=False)
    sender, up = connect(broker, "sender")
    up.wait_up()
    sender.publish(f"{topic_root}/end", b"end", qos=1, retain=False)
    received.wait(lambda r: b"end" in r.data)
    assert received.data == [b"bye", b"end"]
    assert recorder.downs == recorder.ends == []
    assert not any(t.name == "mqtt leaving" for t in threading.enumerate())


class Stuck(Recorder):
    """Blocks in the first message until allowed to continue."""

    def __init__(self, will_topic: str) -> None:
        super().__init__(will_topic)
        self.go_on = threading.Event()

    def on_message(self, arrival: Arrival) -> None:
        super().on_message(arrival)
        self.go_on.wait(15)


def test_a_stop_while_the_broker_is_sending_leaves_no_will(broker, connect, topic_root):
    watching, received = connect(broker, "watcher", f"{topic_root}/status")
    received.wait_up()
    stuck = Stuck(f"{topic_root}/status")
    leaving, _ = connect(broker, "leaving", f"{topic_root}/flood", listener=stuck, qos=0)
    stuck.wait_up()
    for _ in range(30):  # more than the kernel holds for who does not read, so it is sending
        assert watching.publish(f"{topic_root}/flood", b"x" * 1_000_000, qos=1, retain=False)
    stuck.wait_messages(1)
    leaving._stopping.set()
    stuck.go_on.set()
    leaving.stop()
    assert len(stuck.messages) == 1
    assert watching.publish(f"{topic_root}/status", b"end", qos=1, retain=False)
    received.wait(lambda r: b"end" in r.data)
    assert received.data == [b"end"]


def test_killed_broker_is_noticed_and_reconnected_with_the_next_will(broker, connect, topic_root):
    one, recorder = connect(
        broker, "one", f"{topic_root}/#", listener=Recorder(f"{topic_root}/status")
    )
    recorder.wait_up()
    broker.kill()
    recorder.wait(lambda r: r.downs)
    assert "closed the connection" in recorder.downs[0]
    assert not one.publish(f"{topic_root}/a", b"", qos=1, retain=False)
    recorder.wait(lambda r: any("connection refused" in line for line in r.downs))
    broker.start()
    recorder.wait_up(2)
    assert recorder.ups[1][0] > 1
    # Subscribed again, and able to publish.
    assert one.publish(f"{topic_root}/a", b"back", qos=1, retain=False)
    recorder.wait_messages(1)
    assert recorder.data == [b"back"]
    assert recorder.ends == []


def test_what_the_broker_did_not_acknowledge_is_sent_again(connect, topic_root, mosquitto):
    # A broker that is stopped in its tracks has taken nothing; the one after it gets it all.
    broker = mosquitto("allow_anonymous true", "max_queued_messages 5000")
    one, recorder = connect(broker, "one", f"{topic_root}/#")
    recorder.wait_up()
    broker.send_signal(signal.SIGSTOP)
    for number in range(400):
        assert one.publish(f"{topic_root}/a", b"%d" % number, qos=1, retain=False)
    broker.kill()
    broker.start()
    recorder.wait_messages(400)
    assert sorted({int(data) for data in recorder.data}) == list(range(400))


def test_publish_returns_false_when_the_queue_is_full_and_never_blocks(
    connect, topic_root, mosquitto
):
    broker = mosquitto()
    one, recorder = connect(broker, "one")
    recorder.wait_up()
    broker.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    taken = [
        one.publish(f"{topic_root}/a", b"x", qos=1, retain=False)
        for _ in range(mqtt.MAX_QUEUED + 10)
    ]
    assert time.monotonic() - began < 15  # nothing would ever make room
    assert taken == [True] * mqtt.MAX_QUEUED + [False] * 10
    broker.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 10
    while not one.publish(f"{topic_root}/a", b"x", qos=1, retain=False):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_persistent_session_keeps_messages_of_the_meantime(broker, connect, topic_root):
    sender, up = connect(broker, "sender")
    up.wait_up()
    one, recorder = connect(broker, "one", f"{topic_root}/#", persistent=True)
    recorder.wait_up()
    one.stop()
    for number in range(50):
        assert sender.publish(f"{topic_root}/a", b"%d" % number, qos=1, retain=False)
    _, again = connect(broker, "one", f"{topic_root}/#", persistent=True)
    again.wait_messages(50)
    again.wait_up()
    assert again.data == [b"%d" % n for n in range(50)]
    assert recorder.ups == [(1, False)]
    assert again.ups == [(1, True)]


def test_a_session_that_is_not_persistent_keeps_nothing(broker, connect, topic_root):
    one, recorder = connect(broker, "one", f"{topic_root}/#")
    recorder.wait_up()
    one.stop()
    _, again = connect(broker, "one", f"{topic_root}/#")
    again.wait_up()
    assert again.ups == [(1, False)]


def test_a_listener_that_raises_does_not_end_the_thread(broker, connect, topic_root, caplog):
    class Broken(Recorder):
        def on_message(self, arrival: Arrival) -> None:
            super().on_message(arrival)
            raise RuntimeError(arrival.topic)

    one, recorder = connect(broker, "one", f"{topic_root}/#", listener=Broken())
    recorder.wait_up()
    for data in (b"1", b"2"):
        assert one.publish(f"{topic_root}/a", data, qos=1, retain=False)
    recorder.wait_messages(2)
    assert recorder.downs == []
    assert "RuntimeError" in caplog.text


def test_small_messages_are_sent_at_once(broker, connect, topic_root):
    one, recorder = connect(broker, "one", f"{topic_root}/#")
    recorder.wait_up()
    assert one._client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_idle_transport_sleeps(connect, mosquitto):
    _, recorder = connect(mosquitto(), "one", keepalive=20.0)
    recorder.wait_up()
    tid = next(t.native_id for t in threading.enumerate() if t.name == "mqtt one")

    def switches() -> int:
        status = Path(f"/proc/self/task/{tid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)

    time.sleep(0.2)  # let the connection settle
    before = switches()
    time.sleep(2.0)
    assert switches() - before <= 1


def test_stop_returns_without_a_broker(free_port, monkeypatch):
    transport = MqttTransport(addresses=[Address("127.0.0.1", free_port)], client_id="one")
    recorder = Recorder()
    transport.start(recorder)
    recorder.wait(lambda r: len(r.downs) > 1)
    monkeypatch.setattr(mqtt, "_FAREWELL", 30.0)
    began = time.monotonic()
    transport.stop(Publication(topic="a", data=b"bye", qos=1, retain=False))
    assert time.monotonic() - began < 15
    assert not any(t.name == "mqtt one" for t in threading.enumerate())

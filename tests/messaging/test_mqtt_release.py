"""A message is acknowledged to the broker once it is released, in order, on its own connection."""

from __future__ import annotations

import queue
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from pdsno_cli.messaging.transport import Arrival
from tests.messaging.recorder import Recorder


class Holder(Recorder):
    """Keeps messages unreleased until ``release`` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Arrival] = []
        self.letting_go = False

    def on_message(self, arrival: Arrival) -> None:
        self._record(self.messages, (arrival.topic, arrival.data, arrival.retained))
        self.held.append(arrival)
        if self.letting_go:
            self.release()

    def release(self) -> None:
        held, self.held = self.held, []
        for arrival in held:
            arrival.release()


def send(transport, topic: str, numbers: range) -> None:
    deadline = time.monotonic() + 15
    for number in numbers:
        while not transport.publish(topic, b"%d" % number, qos=1, retain=False):
            assert time.monotonic() < deadline
            time.sleep(0.005)


def numbers(recorder: Recorder) -> list[int]:
    return [int(data) for data in recorder.data]


CHILD = """
import sys, threading
from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.model.addresses import Address
class Listener:
    def will(self, connection): return None
    def on_up(self, connection, session_present):
        print("up", flush=True)
    def on_message(self, arrival):
        print(arrival.data.decode(), flush=True)
        if int(arrival.data) < 2:
            arrival.release()
    def on_down(self, loss): print(loss.reason, flush=True)
    def on_alarm(self, alarm): print(alarm.text, flush=True)
MqttTransport(
    addresses=[Address("127.0.0.1", int(sys.argv[1]))], protocol=sys.argv[2], client_id="child",
    filters=[sys.argv[3]], persistent=True,
).start(Listener())
threading.Event().wait()
"""


def test_unreleased_messages_of_a_killed_process_are_redelivered(broker, connect, topic_root):
    sender, up = connect(broker, "sender")
    up.wait_up()
    arguments = [str(broker.port), broker.protocol, f"{topic_root}/#"]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "up\n"
        send(sender, f"{topic_root}/a", range(5))
        assert [child.stdout.readline() for _ in range(5)] == [f"{n}\n" for n in range(5)]
        child.send_signal(signal.SIGKILL)
    _, again = connect(broker, "child", f"{topic_root}/#", persistent=True)
    again.wait(lambda r: b"4" in r.data)
    assert numbers(again)[-3:] == [2, 3, 4]


def test_a_release_from_before_a_reconnect_acknowledges_nothing(broker, connect, topic_root):
    sender, up = connect(broker, "sender")
    up.wait_up()
    one, holder = connect(broker, "one", f"{topic_root}/#", persistent=True, listener=Holder())
    holder.wait_up()
    send(sender, f"{topic_root}/a", range(3))
    holder.wait_messages(3)
    stale = list(holder.held)
    for times in (2, 3):
        one._client.socket().shutdown(socket.SHUT_RDWR)
        holder.wait_up(times)
        holder.wait_messages(3 * times)
        for arrival in stale:
            arrival.release()
    assert numbers(holder) == [0, 1, 2] * 3
    holder.release()
    one.stop()  # all that is released is acknowledged before
    _, again = connect(broker, "one", f"{topic_root}/#", persistent=True)
    again.wait_up()
    send(sender, f"{topic_root}/a", range(3, 4))
    again.wait_messages(1)
    assert numbers(again) == [3]


def test_order_is_kept_under_load_without_a_disconnect(broker, connect, topic_root):
    count = 3000
    arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()

    class Posting(Recorder):
        def on_message(self, arrival: Arrival) -> None:
            arrivals.put(arrival)

    def own() -> None:
        """Release in batches, as an owner's thread does once they are committed."""
        while (arrival := arrivals.get()) is not None:
            batch = [arrival]
            while not arrivals.empty() and len(batch) < 64:
                batch.append(arrivals.get())
            for item in batch:
                if item is not None:
                    received.append(int(item.data))
                    item.release()

    received: list[int] = []
    owner = threading.Thread(target=own)
    owner.start()
    sender, up = connect(broker, "sender")
    _, recorder = connect(broker, "one", f"{topic_root}/#", listener=Posting())
    up.wait_up()
    recorder.wait_up()
    deadline = time.monotonic() + 30
    for begin in range(0, count, 250):
        send(sender, f"{topic_root}/a", range(begin, begin + 250))
        # Mosquitto drops what is more than 1,000 behind: that is not what is tested here.
        while len(received) < begin:
            assert time.monotonic() < deadline, f"{len(received)} of {begin + 250} received"
            time.sleep(0.005)
    while len(received) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    arrivals.put(None)
    owner.join()
    assert recorder.downs == up.downs == []
    assert received == list(range(count))


@pytest.mark.parametrize("kind", ["mosquitto", "embedded"])
def test_broker_pauses_at_its_window_without_releases(
    kind, connect, topic_root, mosquitto, request
):
    if kind == "mosquitto":
        broker, window = mosquitto("allow_anonymous true", "max_inflight_messages 7"), 7
    else:
        broker, window = request.getfixturevalue("embedded"), 100
    sender, up = connect(broker, "sender")
    _, holder = connect(broker, "one", f"{topic_root}/#", listener=Holder())
    up.wait_up()
    holder.wait_up()
    send(sender, f"{topic_root}/a", range(400))
    holder.wait_messages(window)
    time.sleep(0.3)  # nothing more, which no event can tell
    assert len(holder.messages) == window
    holder.letting_go = True
    holder.release()
    holder.wait_messages(400)
    assert numbers(holder) == list(range(400))
    assert holder.downs == []


def test_a_message_whose_listener_fails_is_released(connect, topic_root, mosquitto, caplog):
    class Broken(Recorder):
        def on_message(self, arrival: Arrival) -> None:
            self._record(self.messages, (arrival.topic, arrival.data, arrival.retained))
            raise RuntimeError(arrival.topic)

    broker = mosquitto("allow_anonymous true", "max_inflight_messages 2")
    one, recorder = connect(broker, "one", f"{topic_root}/#", listener=Broken())
    recorder.wait_up()
    send(one, f"{topic_root}/a", range(20))
    recorder.wait_messages(20)
    assert "the listener failed" in caplog.text
    assert recorder.downs == []

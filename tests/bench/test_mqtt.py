"""Messages per second of the MQTT transport, beside bare paho on the same Mosquitto.

The broker holds the messages before the clock starts, so that nobody publishes meanwhile.
"""

from __future__ import annotations

import hashlib
import hmac
import queue
import statistics
import threading
import time

import paho.mqtt.client as paho
import pytest

from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.messaging.transport import Arrival
from pdsno_cli.model.addresses import Address
from tests.messaging.brokers import Mosquitto
from tests.messaging.recorder import Recorder

pytestmark = pytest.mark.bench

COUNT = 20_000
ROUNDS = 5
PAYLOAD = b"x" * 1200
UNLIMITED = (
    "allow_anonymous true",
    "set_tcp_nodelay true",
    "max_inflight_messages 0",
    "max_queued_messages 0",
)


class Counter(Recorder):
    """Counts what comes, from the first message to the last, and releases it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.begun = 0.0
        self.seconds = 0.0
        self.done = threading.Event()

    def on_message(self, arrival: Arrival) -> None:
        self.take(1)
        arrival.release()

    def take(self, count: int) -> None:
        if self.begun == 0.0:
            self.begun = time.perf_counter()
        self.count += count
        if self.count >= COUNT and not self.done.is_set():
            self.seconds = time.perf_counter() - self.begun
            self.done.set()


class Owner(Counter):
    """Hands over to a thread that verifies each message and commits a batch, then releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        threading.Thread(target=self._own, daemon=True).start()

    def on_message(self, arrival: Arrival) -> None:
        if self.begun == 0.0:
            self.begun = time.perf_counter()
        self.arrivals.put(arrival)

    def _own(self) -> None:
        while not self.done.is_set():
            batch = [self.arrivals.get()]
            while len(batch) < 256 and not self.arrivals.empty():
                batch.append(self.arrivals.get())
            for arrival in batch:
                hmac.digest(b"k" * 32, arrival.data, hashlib.sha256)
            time.sleep(0.001)  # a commit, which gives the GIL away
            for arrival in batch:
                arrival.release()
            self.take(len(batch))


def transport(broker: Mosquitto, name: str, **options) -> MqttTransport:
    return MqttTransport(addresses=[Address("127.0.0.1", broker.port)], client_id=name, **options)


def fill(broker: Mosquitto) -> None:
    """Leave a session with all messages waiting in it."""
    # The first forgets the session of the round before.
    kept = {"filters": ["a"], "persistent": True}
    for name, options in (("one", {}), ("one", kept), ("sender", {})):
        recorder = Recorder()
        made = transport(broker, name, **options)
        made.start(recorder)
        recorder.wait_up()
        if name == "sender":
            ours_publish(made)
        made.stop()


def ours_publish(made: MqttTransport) -> None:
    for _ in range(COUNT):
        while not made.publish("a", PAYLOAD, qos=1, retain=False):
            time.sleep(0.0005)
    while made._client._out_messages:
        time.sleep(0.0005)


def consume(broker: Mosquitto, counter: Counter) -> float:
    fill(broker)
    made = transport(broker, "one", filters=["a"], persistent=True)
    made.start(counter)
    assert counter.done.wait(60)
    made.stop()
    return COUNT / counter.seconds


def bare_consume(broker: Mosquitto) -> float:
    fill(broker)
    counter = Counter()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="one", clean_session=False)
    client.on_message = lambda *_: counter.take(1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert counter.done.wait(60)
    client.disconnect()
    client.loop_stop()
    return COUNT / counter.seconds


def publish(broker: Mosquitto) -> float:
    recorder = Recorder()
    made = transport(broker, "sender")
    made.start(recorder)
    recorder.wait_up()
    begun = time.perf_counter()
    ours_publish(made)
    seconds = time.perf_counter() - begun
    made.stop()
    return COUNT / seconds


def bare_publish(broker: Mosquitto) -> float:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="sender")
    client.max_inflight_messages_set(100)
    client.max_queued_messages_set(1000)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.001)
    begun = time.perf_counter()
    for _ in range(COUNT):
        while client.publish("a", PAYLOAD, 1).rc:
            time.sleep(0.0005)
    while client._out_messages:
        time.sleep(0.0005)
    seconds = time.perf_counter() - begun
    client.disconnect()
    client.loop_stop()
    return COUNT / seconds


def test_the_transport_is_quicker_than_bare_paho(tmp_path):
    sides = {
        "bare paho receives": bare_consume,
        "ours, released at once": lambda broker: consume(broker, Counter()),
        "ours, verified by another thread": lambda broker: consume(broker, Owner()),
        "bare paho publishes": bare_publish,
        "ours publishes": publish,
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    broker = Mosquitto(tmp_path, *UNLIMITED)
    broker.start()
    try:
        for _ in range(ROUNDS):  # in turn: a machine has its moods
            for name, side in sides.items():
                rates[name].append(side(broker))
    finally:
        broker.kill()
    median = {name: statistics.median(found) for name, found in rates.items()}
    receives, at_once, verified, publishes, ours = median.values()
    print()  # noqa: T201  # the figures are what a bench is for
    for name, rate in median.items():
        print(f"{name:33} {rate:8.0f} messages/s")  # noqa: T201
    print(  # noqa: T201
        f"ratios                            {at_once / receives:8.1f} received (bound 1.5), "
        f"{verified / receives:.1f} with verification (bound 0.7), "
        f"{ours / publishes:.1f} published (bound 1.2)"
    )
    assert at_once / receives >= 1.5
    assert verified / receives >= 0.7
    assert ours / publishes >= 1.2

"""An attacker without the key: hears all traffic of a broker, and publishes what it makes of it."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import paho.mqtt.client as paho

KEPT = 500  # messages heard that it makes its own of
AGAIN = 40  # a message in so many goes to the HTTP port, too


class Attacker:
    """Sends ``messages`` of every kind at ``rate`` a second; ``http`` is the file with the port."""

    def __init__(self, *, port: int, http: Path, seed: int, max_payload: int) -> None:
        self.sent: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()
        self._kinds, self._keep, self._rng = (random.Random(seed + part) for part in range(3))
        self._max_payload = max_payload
        self._heard: list[tuple[str, bytes]] = []
        self._own: set[int] = (
            set()
        )  # hashes of what it sent: only what others sent is worth keeping
        self._lock = threading.Lock()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="attacker")
        self._client.on_message = self._hear
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("pdsno/#", 0)
        self._client.loop_start()
        self._http = httpx.Client(base_url=f"http://{http.read_text().strip()}", timeout=10)

    def _hear(self, _client, _userdata, message) -> None:
        with self._lock:
            if not message.payload or hash((message.topic, message.payload)) in self._own:
                return
            if len(self._heard) < KEPT:
                self._heard.append((message.topic, message.payload))
            else:
                self._heard[self._keep.randrange(KEPT)] = message.topic, message.payload

    @property
    def heard(self) -> int:
        return len(self._heard)

    def attack(self, messages: int, rate: float) -> None:
        with ThreadPoolExecutor(1) as poster:  # an answer takes as long as a commit
            self._attack(messages, rate, poster)

    def _attack(self, messages: int, rate: float, poster: ThreadPoolExecutor) -> None:
        begun = time.monotonic()
        posts = []
        for number in range(messages):
            with self._lock:
                kind = self._kinds.choice(KINDS)
                topic, data = getattr(self, f"_{kind}")(*self._rng.choice(self._heard))
                self._own.add(hash((topic, data)))
            self._client.publish(topic, data, 1)
            self.sent[kind] += 1
            if number % AGAIN == 0:
                posts.append(poster.submit(self._post, topic, data, self._rng.random() < 0.2))
            time.sleep(max(begun + number / rate - time.monotonic(), 0))
        for post in posts:
            post.result()

    def _post(self, topic: str, data: bytes, bare: bool) -> None:
        """Post it in a batch, or, where it is ``bare`` or no text, as it is."""
        try:
            body = {"messages": [{"topic": topic, "data": data.decode()}]}
        except UnicodeDecodeError:
            body = None
        if body is None or bare:
            answer = self._http.post("/v1/messages", content=data)
        else:
            answer = self._http.post("/v1/messages", json=body)
        self.answers[answer.status_code] += 1

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._http.close()

    # What it makes of a message that it heard.

    def _mutated(self, topic: str, data: bytes) -> tuple[str, bytes]:
        changed = bytearray(data)
        for _ in range(self._rng.choice((1, 1, 1, 5))):
            changed[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)
        return topic, bytes(changed)

    def _cut(self, topic: str, data: bytes) -> tuple[str, bytes]:
        return topic, data[: self._rng.randrange(len(data))]

    def _replayed(self, topic: str, data: bytes) -> tuple[str, bytes]:
        return topic, data

    def _elsewhere(self, topic: str, data: bytes) -> tuple[str, bytes]:
        known = sorted({topic for topic, _ in self._heard} - {topic})
        return self._rng.choice([*known, "pdsno/command/rc", "pdsno/discovery/r/nobody"]), data

    def _oversized(self, topic: str, data: bytes) -> tuple[str, bytes]:
        return topic, data + b" " * (self._max_payload + 1 - len(data))

    def _nested(self, topic: str, data: bytes) -> tuple[str, bytes]:
        depth = self._rng.randrange(1000, 10_000)
        head, _, tail = data.partition(b'"payload":')
        return topic, head + b'"payload":' + b'{"a":' * depth + b"[" * depth + tail

    def _binary(self, topic: str, data: bytes) -> tuple[str, bytes]:
        return topic, b"\xff\xfe" + self._rng.randbytes(self._rng.randrange(300))

    def _unsigned(self, topic: str, data: bytes) -> tuple[str, bytes]:
        return topic, data.partition(b',"signature"')[0] + b"}"


KINDS = ("mutated", "cut", "replayed", "elsewhere", "oversized", "nested", "binary", "unsigned")

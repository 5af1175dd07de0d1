"""A regional controller's durable ingest beside what a bare paho consumer takes of the same broker.

Both consumers are processes of their own and take the same messages from the same Mosquitto: in
one test while ten clients publish them as fast as they can, on the same two cores; in another from
a persistent session, where nobody publishes and a bare consumer has a core to itself. What the
regional has committed is read from its store with plain SQLite.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.devices import Device, ProbeResult
from pdsno_cli.model.messages import DiscoveryReport
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import free_port
from tests.conftest import require as require_tool
from tests.e2e.conftest import PDSNO, until
from tests.e2e.test_mosquitto import Mosquitto

pytestmark = pytest.mark.bench

RATIO = 0.65  # of what bare paho takes of a flow
BACKLOG_RATIO = 0.55  # of what it takes of a backlog
SPREAD = 0.30  # by which a message of 1,000 senders may cost more than one of 10
MESSAGES = 60_000
ROUNDS = 5
SENDER_ROUNDS = 9  # of few and of many: rounds differ by as much as is left to the bound
DEVICES = 4  # of each report
NETWORK = 8_000  # devices in all, shared out among the senders
SEED = 20261124
P50, P99 = 5.0, 25.0  # ms from publishing to the commit, at RATE
RATE, SECONDS = 100, 10
INFLIGHT = 1000  # Mosquitto's window, for both alike
SETTLING = 3.0  # seconds; hundreds of streams are acknowledged within 2
WARM = 0.1  # of the messages, before the clock starts: connecting is not measured

BARE = """\
import sys, time
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
port, name, total, first = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
count, began = 0, 0.0
client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
def heard(*_):
    global count, began
    count += 1
    if count == first:
        began = time.perf_counter()
    if count == total:
        print((total - first) / (time.perf_counter() - began), flush=True)
        client.disconnect()
client.on_message = heard
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.connect("127.0.0.1", port)
client.subscribe("pdsno/discovery/r/+", 1)
client.loop_forever()
"""


class Taken(NamedTuple):
    """How a regional took messages in."""

    rate: float  # messages a second
    cost: float  # seconds of its processor time a message


class Bench:
    """One Mosquitto, a topology with many local controllers of which only the regional runs."""

    def __init__(self, folder: Path, senders: int) -> None:
        self.port = free_port()
        self.broker = Mosquitto(
            folder, self.port, "allow_anonymous true", "max_queued_messages 0",
            f"max_inflight_messages {INFLIGHT}", "set_tcp_nodelay true",
        )  # fmt: skip
        until(self.broker.answers, "Mosquitto's start")
        self.file = folder / "bench.yaml"
        key = folder / "key.txt"
        key.write_text("k" * 32)
        self.senders = [f"lc{number:04d}" for number in range(senders)]
        locals_ = "".join(
            f"  {name}: {{role: local, region: r, "
            f"discovery: {{targets: [127.{64 + n // 60_000}.{n // 250 % 250}.{n % 250 + 1}]}}}}\n"
            for n, name in enumerate(self.senders)
        )
        self.file.write_text(
            f"name: bench\nbroker: {{host: 127.0.0.1, port: {self.port}}}\nfallbacks: [mqtt]\n"
            f"signing_key: file:{key}\nregions: {{r: {{}}}}\ncontrollers:\n"
            f"  gc: {{role: global}}\n  rc: {{role: regional, region: r}}\n{locals_}"
        )
        self.topology = require(str(self.file))
        self.state = StateDir(folder / "state")
        self.codec = Codec(signing_key(self.topology, self.state), self.topology.topics, 1_048_576)
        self.numbers = dict.fromkeys(self.senders, 0)
        self._random = random.Random(SEED)

    def seal(self, sender: str) -> tuple[str, bytes]:
        """Return the next report of a sender: four of its devices changed, whichever."""
        self.numbers[sender] = number = self.numbers[sender] + 1
        home = self.senders.index(sender)
        share = NETWORK // len(self.senders)
        own = self._random.sample(range(share), min(DEVICES, share))
        devices = tuple(_device(home, device, number) for device in own)
        report = DiscoveryReport(
            region="r", cycle=number, snapshot=number == 1, outcome="complete",
            started_at="2026-01-01T00:00:00.000Z", seconds=1.0,
            probes=(ProbeResult(protocol="icmp", targets=4, answers=4, seconds=0.3),),
            new=(), updated=devices, inactive=(), active=64,
        )  # fmt: skip
        topic = self.topology.topics.discovery("r", sender)
        return topic, self.codec.seal(
            topic=topic, sender_id=sender, message_type="discovery_report", payload=report,
            epoch=1, seq=number,
        )  # fmt: skip

    def sealed(self, messages: int) -> list[tuple[str, bytes]]:
        self.numbers = dict.fromkeys(self.senders, 0)
        return [self.seal(self.senders[n % len(self.senders)]) for n in range(messages)]

    def fill(self, client_id: str, messages: list[tuple[str, bytes]]) -> None:
        """Have the broker hold messages in the session of a client that is away."""
        here = self._client(client_id, clean=False)
        granted = threading.Event()
        here.on_subscribe = lambda *_: granted.set()
        here.subscribe("pdsno/discovery/r/+", 1)
        assert granted.wait(10)
        here.disconnect()
        here.loop_stop()
        self.feed(messages)

    def feed(self, messages: list[tuple[str, bytes]]) -> None:
        """Publish messages; return when the broker has them all."""
        filler = self._client("filler")
        for topic, data in messages:
            last = filler.publish(topic, data, 1)
        last.wait_for_publish(120)
        filler.disconnect()
        filler.loop_stop()

    def _client(self, client_id: str, *, clean: bool = True) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        client.max_inflight_messages_set(INFLIGHT)
        client.connect("127.0.0.1", self.port)
        # paho leaves Nagle's algorithm on, which holds back every second message for 40 ms.
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.loop_start()
        return client

    def forget(self, client_id: str) -> None:
        """Have the broker hold nothing for a client that is away."""
        there = threading.Event()
        client = self._client(client_id)
        client.on_connect = lambda *_: there.set()
        assert there.wait(10) or client.is_connected()
        client.disconnect()
        client.loop_stop()

    def publish(self, messages: list[tuple[str, bytes]]) -> list[subprocess.Popen]:
        """Start to publish messages, one process for each sender, as fast as they can."""
        lines: dict[str, list[bytes]] = {}
        for topic, data in messages:
            lines.setdefault(topic, []).append(data + b"\n")
        started = []
        for topic, data in lines.items():
            path = self.file.parent / topic.rpartition("/")[2]
            path.write_bytes(b"".join(data))
            with path.open("rb") as file:
                started.append(subprocess.Popen(
                    [require_tool("mosquitto_pub"), "-p", str(self.port), "-t", topic, "-q", "1",
                     "-l"],
                    stdin=file,
                ))  # fmt: skip
        return started

    def bare(self, messages: list[tuple[str, bytes]], *, live: bool = False) -> float:
        """Return the messages a second that a bare paho consumer takes."""
        if not live:
            self.fill("bare", messages)
        total = len(messages)
        consumer = subprocess.Popen(
            [sys.executable, "-c", BARE, str(self.port), "bare", str(total),
             str(round(total * WARM))],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        publishers = []
        try:
            assert consumer.stdout.readline() == "subscribed\n"
            if live:
                publishers = self.publish(messages)
            return float(consumer.communicate(timeout=120)[0])
        finally:
            _end(consumer, *publishers)
            self.forget("bare")

    def start(self, *, afresh: bool = True) -> subprocess.Popen:
        """Start the regional, over an empty store unless it is to go on."""
        if afresh:
            shutil.rmtree(self.state.root / "stores", ignore_errors=True)
        with (self.file.parent / "rc.log").open("ab") as log:
            return subprocess.Popen(
                [PDSNO, "controller", "run", str(self.file), "rc",
                 "--state-dir", str(self.state.root)],
                stdout=log, stderr=log,
            )  # fmt: skip

    def ours(self, messages: list[tuple[str, bytes]], *, live: bool = False) -> float:
        """Return the messages a second that a regional controller commits."""
        if not live:
            self.fill("pdsno-rc", messages)
        regional = self.start()
        publishers = []
        try:
            if live:
                self.await_birth()
                publishers = self.publish(messages)
            return self._rate(len(messages))
        finally:
            _end(regional, *publishers)
            self.forget("pdsno-rc")

    def ours_resumed(self, messages: list[tuple[str, bytes]]) -> Taken:
        """Return how a regional commits what came while it was stopped.

        All that it spends on these messages is counted, and no others' acknowledgements: it has
        started, taken the first of them and acknowledged them before. Theirs are out SETTLING
        after the commit, in which, however many senders there are, it does what else it has to.
        """
        warm = round(len(messages) * WARM)
        first, rest = messages[:warm], messages[warm:]
        regional = self.start()
        try:
            self.await_birth()
            self.feed_acknowledged(first)
            regional.send_signal(signal.SIGSTOP)
            self.feed(rest)
            spent, began = _processor_time(regional.pid), time.perf_counter()
            regional.send_signal(signal.SIGCONT)
            self.await_committed(len(messages))
            rate = len(rest) / (time.perf_counter() - began)
            time.sleep(SETTLING)  # the measurement itself
            return Taken(rate, (_processor_time(regional.pid) - spent) / len(rest))
        finally:
            regional.send_signal(signal.SIGCONT)
            _end(regional)
            self.forget("pdsno-rc")

    def feed_acknowledged(self, messages: list[tuple[str, bytes]]) -> None:
        """Publish messages; return when their senders would know that all are committed."""
        heard: dict[str, int] = {}
        granted = threading.Event()
        client = self._client("sender")

        def hear(_client, _userdata, message):
            ack = json.loads(message.payload)["payload"]
            heard[ack["stream"]] = ack["seq"]

        client.on_message = hear
        client.on_subscribe = lambda *_: granted.set()
        client.subscribe("pdsno/ack/+", 1)
        assert granted.wait(10)
        self.feed(messages)
        due = Counter(self.topology.topics.stream(topic) for topic, _ in messages)
        until(lambda: heard.items() >= due.items(), "acknowledgements", 60)
        client.disconnect()
        client.loop_stop()

    def await_birth(self) -> None:
        """Wait until the regional is subscribed: it says so on its status topic."""
        born = threading.Event()
        client = self._client("witness")

        def hear(_client, _userdata, message):
            if b'"state":"birth"' in message.payload:  # and not the death of the one before
                born.set()

        client.on_message = hear
        client.subscribe("pdsno/status/rc", 1)
        assert born.wait(20)
        client.disconnect()
        client.loop_stop()

    def _rate(self, total: int) -> float:
        """Watch a regional until all is committed; from the first ones on."""
        began = (0.0, 0)
        deadline = time.monotonic() + 120
        with contextlib.closing(self._open_store()) as store:
            while True:
                committed, now = _committed(store), time.perf_counter()
                if not began[1] and committed >= total * WARM:
                    began = now, committed
                if committed == total:
                    return (committed - began[1]) / (now - began[0])
                assert time.monotonic() < deadline, committed
                time.sleep(0.02)  # who asks more often takes time from who is measured

    def await_committed(self, messages: int) -> None:
        """Wait until so many messages are committed."""
        with contextlib.closing(self._open_store()) as store:
            until(lambda: _committed(store) >= messages, f"{messages} messages committed")

    def _open_store(self) -> sqlite3.Connection:
        path = self.state.store("rc")
        until(path.exists, "the regional's store")
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10, isolation_level=None)


def _processor_time(pid: int) -> float:
    """Return the seconds that a process, all its threads, has had a processor (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _committed(store: sqlite3.Connection) -> int:
    try:
        ((count,),) = store.execute("SELECT coalesce(sum(applied), 0) FROM received")
    except sqlite3.OperationalError:
        return 0  # it has no tables yet
    return count


def _end(*processes: subprocess.Popen) -> None:
    for process in processes:
        process.terminate()
        process.wait(20)


def _device(home: int, own: int, number: int) -> Device:
    mac = f"02:00:{home // 256:02x}:{home % 256:02x}:{own // 256:02x}:{own % 256:02x}"
    return Device(
        device_id=f"mac:{mac}",
        addresses=(f"10.{home % 256}.{own // 256}.{own % 256}",),
        protocols=("icmp", "snmp"),
        mac=mac,
        sys_name=f"sw-{home}-{own}",
        sys_descr="Linux 5.10.0-28-amd64 #1 SMP Debian",
        sys_object_id="1.3.6.1.4.1.8072.3.2.10",
        uptime=100.0 + number,
    )


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(senders):
        folder = tmp_path / str(senders)
        folder.mkdir()
        made.append(Bench(folder, senders))
        return made[-1]

    yield make
    for item in made:
        item.broker.end()


def say(text: str) -> None:
    sys.stdout.write(f"\n{text}")


@pytest.mark.parametrize(("live", "bound"), [(True, RATIO), (False, BACKLOG_RATIO)])
def test_durable_ingest_beside_bare_paho(bench, live, bound):
    run = bench(10)
    messages = run.sealed(MESSAGES)
    pairs = [(run.ours(messages, live=live), run.bare(messages, live=live)) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    kind = "flow" if live else "backlog"
    for ours, bare in pairs:
        say(f"{kind} of {len(messages[0][1])} bytes a message: {ours:,.0f}/s committed, "
            f"bare paho {bare:,.0f}/s, ratio {ours / bare:.2f}")  # fmt: skip
    say(f"{kind}: median ratio {ratio:.2f} (bound {bound})\n")
    assert ratio >= bound


def test_a_thousand_senders_cost_no_more_a_message_than_ten(bench):
    few, many = bench(10), bench(1000)
    of_few, of_many = few.sealed(MESSAGES), many.sealed(MESSAGES)
    pairs = [(few.ours_resumed(of_few), many.ours_resumed(of_many)) for _ in range(SENDER_ROUNDS)]
    for ten, thousand in pairs:
        say(f"10 senders {ten.rate:,.0f}/s and {ten.cost * 1e6:.1f} us of processor time a message, "
            f"1,000 senders {thousand.rate:,.0f}/s and {thousand.cost * 1e6:.1f} us")  # fmt: skip
    cost = statistics.median(thousand.cost / ten.cost for ten, thousand in pairs)
    slower = statistics.median(ten.rate / thousand.rate for ten, thousand in pairs)
    say(f"a message of 1,000 senders costs {cost:.2f} of one of 10 (bound {1 + SPREAD}), "
        f"and takes {slower:.2f} of the time\n")  # fmt: skip
    assert cost <= 1 + SPREAD


def test_latency_from_publishing_to_the_commit(bench):
    run = bench(10)
    regional = run.start()
    client = run._client("publisher")
    try:
        run.await_birth()
        bare = _bare_round_trips(run, client)
        committed = _latencies(run, client)
    finally:
        client.disconnect()
        client.loop_stop()
        regional.terminate()
        regional.wait(20)
    say(f"{RATE}/s, publish to commit: p50 {_at(committed, 50):.1f} ms, "
        f"p99 {_at(committed, 99):.1f} ms (bounds {P50:g} and {P99:g}); bare publish to "
        f"callback: p50 {_at(bare, 50):.1f} ms, p99 {_at(bare, 99):.1f} ms\n")  # fmt: skip
    assert _at(committed, 50) <= P50
    assert _at(committed, 99) <= P99


def _at(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


def _bare_round_trips(run: Bench, client: paho.Client) -> list[float]:
    """Return the ms from publish to callback of messages of the same size through the broker."""
    came = threading.Event()
    granted = threading.Event()
    client.on_message = lambda *_: came.set()
    client.on_subscribe = lambda *_: granted.set()
    client.subscribe("bare/#", 1)
    assert granted.wait(10)
    data = b"x" * len(run.seal(run.senders[0])[1])
    run.numbers[run.senders[0]] = 0
    found = []
    for _ in range(RATE * 3):
        began = time.perf_counter()
        came.clear()
        client.publish("bare/a", data, 1)
        assert came.wait(10)
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(1 / RATE)
    client.unsubscribe("bare/#")
    return found


def _latencies(run: Bench, client: paho.Client) -> list[float]:
    """Return the ms from publishing a report until its number stands in the regional's store."""
    store = run._open_store()
    found: list[float] = []
    for number in range(RATE * SECONDS):
        sender = run.senders[number % len(run.senders)]
        topic, data = run.seal(sender)
        began = time.perf_counter()
        client.publish(topic, data, 1)
        while _seq(store, sender) < run.numbers[sender]:
            assert time.perf_counter() - began < 20
            time.sleep(0.0002)
        taken = time.perf_counter() - began
        if number >= RATE:  # a second to warm up
            found.append(taken * 1000)
        time.sleep(max(1 / RATE - taken, 0))
    store.close()
    return found


def _seq(store: sqlite3.Connection, sender: str) -> int:
    try:
        row = store.execute("SELECT seq FROM received WHERE sender = ?", (sender,)).fetchone()
    except sqlite3.OperationalError:
        return 0
    return row[0] if row else 0

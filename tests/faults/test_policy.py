"""Policies that make no sense, signed with the right key, while real and simulated locals report."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.topics import TopicMap
from tests.e2e.conftest import PDSNO, until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)
REAL = "lc0"  # it discovers; the others are simulated
MEMORY = 200  # MB; the addresses of a /12 alone would take 400
TOPIC = TopicMap().policy("r")
PACE = "defaults: {heartbeat: 1s, discovery: {interval: 200ms, protocols: [icmp, snmp], snmp: {port: 9}}}"
SENSELESS = (
    {"scan_interval": 0.0},
    {"scan_interval": 1e300},
    {"missed_cycles": 0},
    {"missed_cycles": 2**53 - 1},
    {"protocols": ()},
    {"protocols": ("icmp", "\x1b[2J" * 1000)},
    {"targets": {REAL: ("not an address",)}},
    {"targets": {REAL: ("0.0.0.0/0",)}},
    {"targets": {REAL: ("10.0.0.0/12",)}},
    {"targets": {REAL: ("127.66.0.0/16",)}},  # it has one target in the file
    {"targets": {REAL: tuple(f"127.66.{n // 250}.{n % 250}" for n in range(5000))}},
    {"version": 2**53 - 1},
)


class Traitor:
    """Has the key, and publishes policies in the name of the regional controller."""

    def __init__(self, port: int, version: int) -> None:
        self.sent = 0
        self._version = version
        self._rng = random.Random(SEED)
        self._codec = Codec(b"k" * 32, TopicMap(), 1_048_576)
        self._epoch = epoch_at(time.time() + 60)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="traitor")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self) -> None:
        """Publish one that nobody can go by, in the place of the one that is retained."""
        self.sent += 1
        keys = {"scope": "r", "version": self._version + self.sent, **self._rng.choice(SENSELESS)}
        data = self._codec.seal(
            topic=TOPIC, sender_id="rc", message_type="policy", payload=PolicyDocument(**keys),
            epoch=self._epoch, seq=self.sent,
        )  # fmt: skip
        self._client.publish(TOPIC, data, 1, retain=True).wait_for_publish(10)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def traitor(port: int, version: int):
    made = Traitor(port, version)
    try:
        yield made
    finally:
        made.end()


def peak_memory(pid: int) -> float:
    """Return the most memory that a process has held, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.mark.parametrize("kind", BROKERS)
def test_senseless_policies_with_the_right_key_change_nothing_and_stop_nothing(arena, kind):
    policies, pace, rate = (2000, 20, 500) if FULL else (40, 20, 200)
    drill = arena(kind)
    drill.file.write_text(drill.file.read_text().replace("defaults: {heartbeat: 1s}", PACE))

    def start_local():
        run = [PDSNO, "controller", "run", str(drill.file), REAL, "--state-dir", str(drill.state)]
        return drill.spawn(run, REAL)

    def cycle() -> int:
        try:
            found = drill.ask("rc", "SELECT cycle FROM cycles WHERE local_id = 'lc0'")
        except sqlite3.OperationalError:
            return 0  # there is no store, or it has no tables yet
        return found[0][0] if found else 0

    def cycles_go_on() -> None:
        before = cycle()
        until(lambda: cycle() >= before + 3, "cycles")

    def in_force() -> int:
        ((version,),) = drill.ask(REAL, "SELECT version FROM policies WHERE scope = 'r'")
        return version

    drill.start_broker()
    regional = drill.start_regional()
    local = start_local()
    until(lambda: cycle() >= 2, "the first cycles")
    version = in_force()
    reports = int(rate * policies / pace)
    field = drill.start_field(reports, rate, senders=drill.names[1:])
    begun = time.monotonic()
    with traitor(drill.port, version) as hostile:
        for number in range(policies):
            hostile.publish()
            time.sleep(max(begun + number / pace - time.monotonic(), 0))
        cycles_go_on()
        memory = {"regional": peak_memory(regional.pid), "local": peak_memory(local.pid)}
        local.kill()
        local.wait()
        hostile.publish()
        again, before = start_local(), cycle()
        until(lambda: cycle() != before, "a first cycle after the restart")
        cycles_go_on()
        memory["restarted"] = peak_memory(again.pid)
    drill.sent(field, 600)
    drained = drill.drained(60)
    verdict = drill.judge()
    record("senseless policies", broker=kind, seed=SEED, sent=hostile.sent,
           accepted=verdict.accepted, lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           MB={name: round(size) for name, size in memory.items()},
           drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert in_force() == version
    assert max(memory.values()) < MEMORY
    logs = {name: (drill.folder / f"{name}.log").read_text() for name in (REAL, "rc", "field")}
    assert "is refused:" in logs[REAL]
    assert not any("Traceback" in text or len(text) > 1_000_000 for text in logs.values())
    drill.audit()

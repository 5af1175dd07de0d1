"""Brokers that flap, refuse, deny, drop and let strangers in: nothing of it is final, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.model.addresses import Address
from tests.conftest import require
from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.results import record
from tests.messaging.recorder import Recorder

pytestmark = pytest.mark.timeout(3600 if FULL else 180)
CHAINS = {"http": "", "mqtt alone": "fallbacks: [mqtt]\n"}
READY = 30.0  # seconds after the cause is gone within which all is as before
LOG = 1_000_000  # bytes
SIZE_LIMIT = 1000  # bytes, less than any report has
RATE = 50 if FULL else 20  # reports a second


def sizes(seconds: float) -> int:
    """Return how many reports four senders send in the time of a fault and some before and after."""
    return int(RATE * (seconds + 6)) // 4 * 4


def end(drill, field, reports: int, name: str, **figures) -> None:
    """Hold a drill to what all of these are held to, from the moment at which its cause is gone."""
    begun = time.monotonic()
    drill.reported()
    drill.sent(field, 600)
    drill.drained(READY)
    ready = time.monotonic() - begun
    verdict = drill.judge()
    record(name, seed=SEED, accepted=verdict.accepted, lost=verdict.lost, twice=verdict.twice,
           wrong=verdict.wrong, ready=round(ready, 1), log=drill.log_bytes(), **figures)  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert ready <= READY
    assert drill.alive()
    assert drill.log_bytes() <= LOG
    text = (drill.folder / "rc.log").read_text() + (drill.folder / "field.log").read_text()
    assert "Traceback" not in text
    drill.audit()


@pytest.mark.parametrize("fallback", CHAINS)
@pytest.mark.parametrize("kind", BROKERS)
def test_flapping_broker(arena, kind, fallback):
    times, every = (9, 4.0) if FULL else (5, 1.0)
    reports = sizes(times * every)
    drill = arena(kind, patience="2s", extra=CHAINS[fallback])
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, RATE)
    until(lambda: drill.progress() >= RATE, "the first reports")
    for _ in range(times):
        drill.kill_broker()
        drill.start_broker()
        time.sleep(every)  # the length of the fault itself
    end(drill, field, reports, "broker flapping", broker=kind, fallback=fallback, kills=times)


@pytest.mark.parametrize("fallback", CHAINS)
def test_refused_connect(arena, tmp_path, fallback):
    seconds = 30.0 if FULL else 4.0
    reports = sizes(seconds)
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    secret.write_text("right")

    def set_password(password: str) -> None:
        words = [require("mosquitto_passwd"), "-b", "-c", str(passwords), "plane", password]
        subprocess.run(words, check=True, capture_output=True)

    set_password("right")
    drill = arena(
        "mosquitto",
        anonymous=False,
        lines=(f"password_file {passwords}",),
        broker=f", username: plane, password: 'file:{secret}'",
        patience="2s",
        extra=CHAINS[fallback],
    )
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, RATE)
    until(lambda: drill.progress() >= RATE, "the first reports")
    set_password("rotated")
    since = time.time()  # before: who is quick is refused while the broker's start is awaited
    drill.kill_broker()
    drill.start_broker()
    until(lambda: drill.logged("rc", "refuses the credentials", since), "the refusal")
    time.sleep(max(since + seconds - time.time(), 0))  # the length of the fault itself
    set_password("right")
    os.kill(drill.broker.pid, signal.SIGHUP)  # it reads the file again
    end(drill, field, reports, "CONNECT refused", broker="mosquitto", fallback=fallback,
        seconds=seconds)  # fmt: skip


@pytest.mark.parametrize("fallback", CHAINS)
@pytest.mark.parametrize("denied", ["discovery", "ack"])
def test_one_class_denied(arena, tmp_path, denied, fallback):
    seconds = 40.0 if FULL else 6.0
    reports = sizes(seconds)
    rights = tmp_path / "rights"
    rights.write_text("topic readwrite #\n")
    drill = arena("mosquitto", lines=(f"acl_file {rights}",), patience="2s", extra=CHAINS[fallback])
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, RATE)
    until(lambda: drill.progress() >= RATE, "the first reports")
    rights.write_text(f"topic deny pdsno/{denied}/#\ntopic readwrite #\n")
    os.kill(drill.broker.pid, signal.SIGHUP)
    since = time.time()
    said = "passed over for" if fallback == "http" else "carries nothing, connecting again"
    until(lambda: len(drill.logged("field", said, since)) >= len(drill.names), "doubt")
    if fallback == "http":
        drill.reported()
    time.sleep(max(since + seconds - time.time(), 0))  # the length of the fault itself
    rights.write_text("topic readwrite #\n")
    os.kill(drill.broker.pid, signal.SIGHUP)
    end(drill, field, reports, "one class denied", broker="mosquitto", fallback=fallback,
        denied=denied, seconds=seconds)  # fmt: skip


@pytest.mark.parametrize("fallback", CHAINS)
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_every_report_over_the_broker_s_size_limit(arena, protocol, fallback):
    seconds = 30.0 if FULL else 5.0
    reports = sizes(seconds)
    drill = arena(
        "mosquitto", broker=f', protocol: "{protocol}"', patience="2s", extra=CHAINS[fallback]
    )
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, RATE)
    until(lambda: drill.progress() >= RATE, "the first reports")
    since = time.time()
    drill.kill_broker()
    free, drill.lines = drill.lines, (*drill.lines, f"message_size_limit {SIZE_LIMIT}")
    drill.start_broker()
    until(lambda: drill.logged("field", "carries nothing", since), "doubt")
    if protocol == "5":
        until(lambda: drill.logged("field", "packet too large", since), "the broker's reason")
    time.sleep(max(since + seconds - time.time(), 0))  # the length of the fault itself
    drill.kill_broker()
    drill.lines = free
    drill.start_broker()
    end(drill, field, reports, "size limit 1000", broker="mosquitto", fallback=fallback,
        protocol=protocol, seconds=seconds)  # fmt: skip


@contextmanager
def thief(port: int, *client_ids: str, every: float = 0.5):
    """Connect with other clients' ids again and again."""
    over = threading.Event()

    def steal(client_id: str) -> None:
        while not over.is_set():
            transport = MqttTransport(addresses=[Address("127.0.0.1", port)], client_id=client_id)
            transport.start(Recorder())
            over.wait(every)
            transport.stop()

    threads = [threading.Thread(target=steal, args=(name,)) for name in client_ids]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("fallback", CHAINS)
@pytest.mark.parametrize("kind", BROKERS)
def test_client_ids_taken_over_by_a_stranger(arena, kind, fallback):
    seconds = 30.0 if FULL else 4.0
    reports = sizes(seconds + 15)
    drill = arena(kind, patience="2s", extra=CHAINS[fallback])
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, RATE)
    until(lambda: drill.progress() >= RATE, "the first reports")
    since = time.time()
    with thief(drill.port, "pdsno-lc0", "pdsno-rc"):
        for log in ("field", "rc"):
            until(lambda log=log: drill.logged(log, "took the session over", since), "the alarm")
        announced = time.time() - since
        time.sleep(seconds)  # the length of the fault itself: the thief goes on, to no effect
        drill.reported()
        assert len(drill.logged("field", "took the session over", since)) == 1
    end(drill, field, reports, "client ids taken over", broker=kind, fallback=fallback,
        announced=round(announced, 1))  # fmt: skip

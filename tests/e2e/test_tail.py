"""``pdsno tail``: what an onlooker sees of a real run, on every way there is to it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import pytest

from pdsno_cli.broker.embedded import EmbeddedBroker
from pdsno_cli.model.messages import Event, PolicyDocument

from .conftest import PDSNO, WAIT, until
from .test_discover import discover, sealed
from .test_discover import live as live  # noqa: PLC0414 - a fixture shared by name
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414
from .test_mosquitto import shout


def tail(site, *args: str):
    return site.pdsno("tail", str(site.file), *args, "--state-dir", str(site.state))


def lines(run) -> list[dict]:
    assert run.end() == 0, run.lines
    return [json.loads(line) for line in run.out.splitlines()]


def test_the_qos_of_a_broker_is_not_a_finding_about_senders(site, tmp_path):
    # rumqttd as a broker of one's own: it delivers at the QoS of the subscription, as amqtt does.
    broker = EmbeddedBroker(max_payload=1_048_576)
    port = broker.start().port
    try:
        site.write(broker=f"{{host: 127.0.0.1, port: {port}}}", interval="500ms")
        site.up().ready()
        seen = lines(tail(site, "--json", "--count", "30"))
    finally:
        broker.stop()
    assert {item["qos"] for item in seen} == {None}
    assert {mark for item in seen for mark in item["marks"]} <= {"again"}


@pytest.mark.parametrize("way", ["embedded", "mosquitto", "mosquitto-5", "in-process"])
def test_tail_finds_nothing_wrong_with_a_run_as_it_should_be(site, way, request):
    broker = "{embedded: true}"
    if way.startswith("mosquitto"):
        port = request.getfixturevalue("mosquitto").port
        version = ", protocol: 5" if way.endswith("5") else ""
        broker = f"{{embedded: false, host: 127.0.0.1, port: {port}{version}}}"
    site.write(broker=broker, interval="500ms")
    site.up(*(["--in-process"] if way == "in-process" else [])).ready()
    seen = lines(tail(site, "--json", "--count", "60"))
    assert len(seen) == 60
    assert {item["signature"] for item in seen} == {"ok"}
    # Soon after a start, what was sent before its receiver subscribed is sent again.
    assert {mark for item in seen for mark in item["marks"]} <= {"again"}
    kinds = {item["type"] for item in seen}
    assert kinds >= {"status", "policy", "discovery_report", "ack"}
    assert all(item["message"]["sender_id"] == item["sender"] for item in seen)
    # What can be known of delivery differs from way to way.
    reports = [item for item in seen if item["type"] == "discovery_report"]
    known = {(item["qos"], item["retain"]) for item in reports}
    assert (
        known
        == {
            "embedded": {(None, None)},
            "in-process": {(1, None)},
            "mosquitto": {(1, False)},
            "mosquitto-5": {(1, False)},
        }[way]
    )


class Watch:
    """A ``pdsno tail --json`` whose lines are read as they come."""

    def __init__(self, site, *args: str) -> None:
        command = [PDSNO, "tail", str(site.file), *args, "--json", "--state-dir", str(site.state)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.seen: list[dict] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until(lambda: self.seen, "what is retained")

    def _read(self) -> None:
        for line in self._process.stdout:
            self.seen.append(json.loads(line))

    def first(self, **wanted) -> dict:
        def found():
            return next((i for i in self.seen if wanted.items() <= i.items()), None)

        return until(found, f"{wanted}")

    def interrupt(self) -> tuple[int, str]:
        """Return exit code and stderr."""
        self._process.send_signal(signal.SIGINT)
        words = self._process.stderr.read()
        code = self._process.wait(WAIT)
        self._reader.join(WAIT)
        self._process.stdout.close()
        self._process.stderr.close()
        return code, words


@pytest.fixture
def watch(live):
    watch = Watch(live)
    yield watch
    watch._process.kill()


def test_tail_marks_forgeries_strangers_and_wrong_delivery(live, watch):
    topic = live.topics.policy("r1")
    policy = PolicyDocument(scope="r1", version=10**11)
    shout(live.port, topic, sealed(live, policy, topic=topic, sender="lc2", kind="policy"))
    stranger = watch.first(topic=topic, sender="lc2")
    assert stranger["signature"] == "ok"
    assert "'lc2' may not publish on" in stranger["marks"][0]
    assert stranger["marks"][1:] == ["not retained"]

    where = live.topics.events("r1")
    event = Event(event="mac_in_two_regions", severity="info", subject="x")
    for seq in (4, 7, 7):
        data = sealed(live, event, topic=where, sender="g1", kind="event", seq=seq)
        shout(live.port, where, data, "-q", "0")
    for seq, marks in (
        (4, ["delivered at QoS 0, not 1"]),
        (7, ["gap: 2 missing", "delivered at QoS 0, not 1"]),
    ):
        assert watch.first(topic=where, seq=seq)["marks"] == marks
    watch.first(topic=where, seq=7, marks=["again", "delivered at QoS 0, not 1"])

    shout(live.port, where, b"psst", "-r")
    unsigned = watch.first(topic=where, signature="unsigned")
    assert unsigned["marks"] == ["retained, which it must not be"]
    assert unsigned["message"] is None
    shout(live.port, f"{live.root}/rumours", b"{}")
    assert watch.first(topic=f"{live.root}/rumours")["marks"] == ["undeclared topic"]

    code, words = watch.interrupt()
    assert code == 0
    assert re.fullmatch(
        r"\d+ messages in \S+ s: .*\d+ status.*; 6 with something wrong\n", words
    ), words


def test_tail_of_a_filter_shows_an_order_and_its_answer_as_lines(live):
    run = live.pdsno("tail", str(live.file), "+/r1/lc1", "--count", "1", "--state-dir",
                     str(live.state), env={"TZ": "UTC"})  # fmt: skip
    until(lambda: discover(live, "lc1").returncode == 0 and run.process.poll() is not None,
          "a report while it looks on")  # fmt: skip
    assert run.end() == 0
    assert re.fullmatch(
        rf"\d\d:\d\d:\d\d\.\d\d\d  {live.root}/discovery/r1/lc1  lc1  discovery_report  \d+/\d+  "
        r"\d+ B  mqtt q1-  signed  cycle \d+ complete: 0 new, 0 updated, 0 inactive, 3 devices\n",
        run.out,
    ), run.out
    assert re.fullmatch(
        r"1 message in \S+ s: 1 discovery_report; 0 with something wrong", run.lines[0]
    )


def test_tail_ends_after_its_time_and_when_its_reader_is_gone(site):
    site.write(interval="1h")
    site.up().ready()
    quiet = tail(site, "events/nowhere", "--for", "500ms")
    assert quiet.end() == 0
    assert quiet.lines[1].startswith("0 messages in 0.")
    command = f"{PDSNO} tail {site.file} --state-dir {site.state} | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=WAIT, check=True)
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_tail_without_a_run_or_with_a_wrong_filter_is_one_line(site):
    site.write()
    for args, words in (
        ((), "is not up"),
        (("#/a",), "invalid topic filter '#/a'"),
        (("a", "b"), "only one topic filter"),
        (("--for", "ever"), "'ever' is not a duration"),
    ):
        run = tail(site, *args)
        assert run.end() == 2
        assert words in run.lines[0]
        assert run.lines[1:] == ["<end>"]


def test_tail_of_the_embedded_broker_shows_what_is_declared_marked_as_such(site):
    site.write(interval="500ms")
    site.up().ready()
    run = tail(site, "discovery/#", "--count", "1")
    assert run.end() == 0
    assert "  mqtt (q1-)  signed  " in run.out
    assert "?" not in run.out
    seen = lines(tail(site, "discovery/#", "--json", "--count", "1"))[0]
    assert (seen["qos"], seen["declared_qos"], seen["declared_retain"]) == (None, 1, False)


def test_filter_that_matches_nothing_of_the_map_is_noted(site):
    site.write(interval="1h")
    site.up().ready()
    run = tail(site, "statu/#", "--for", "200ms")
    assert run.end() == 0
    assert run.lines[0].endswith("so nothing is expected: did you mean 'status/#'?")
    assert run.lines[-2].startswith("0 messages in")


def test_tail_fits_a_terminal_of_80_columns_and_colours_topics_by_class(site):
    site.write(interval="500ms")
    site.up().ready()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    hidden = ("NO_COLOR", "COLUMNS", "LINES")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    process = subprocess.Popen(
        [PDSNO, "tail", str(site.file), "--count", "40", "--state-dir", str(site.state)],
        stdout=slave, stderr=subprocess.DEVNULL, env=env | {"TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    data = b""
    with contextlib.suppress(OSError):  # EIO: its end
        while part := os.read(master, 65_536):
            data += part
    os.close(master)
    assert process.wait(WAIT) == 0
    text = data.decode()
    assert f"\x1b[36m{site.root}/discovery/r1/lc" in text
    assert f"\x1b[32m{site.root}/status/" in text
    plain = re.sub(r"\x1b\[\d*m", "", text).splitlines()
    assert max(map(len, plain)) <= 80
    assert sum(bool(re.match(r"\d\d:\d\d:\d\d", line)) for line in plain) == 40

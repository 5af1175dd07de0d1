"""A declared Mosquitto as the broker, with its own tools as independent clients."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from pdsno_cli.nib.reader import open_reader
from tests.conftest import free_port, require

from .conftest import until


class Mosquitto:
    """A real broker on a port of its own; ``prefix`` starts it in a network namespace."""

    def __init__(self, folder, port: int, *lines: str, host="127.0.0.1", prefix=()) -> None:
        self.port = port
        self._away = bool(prefix)
        config = folder / "mosquitto.conf"
        user = pwd.getpwuid(os.geteuid()).pw_name  # it would give root's privileges up
        head = [f"user {user}", f"listener {port} {host}", "log_dest stderr"]
        config.write_text("\n".join([*head, *lines, ""]))
        self.log = (folder / "mosquitto.log").open("wb")
        self.process = subprocess.Popen(
            [*prefix, require("mosquitto"), "-c", str(config)], stdout=self.log, stderr=self.log
        )

    def answers(self) -> bool:
        if self._away:
            return b" running" in Path(self.log.name).read_bytes()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def mosquitto(tmp_path, free_port):
    broker = Mosquitto(tmp_path, free_port, "allow_anonymous true")
    until(broker.answers, "Mosquitto's start")
    yield broker
    broker.end()


class Ear:
    """``mosquitto_sub``: an independent client."""

    def __init__(self, port: int, *topics: str, qos: int = 2, extra=()) -> None:
        self.probe = f"ear/{uuid.uuid4().hex}"
        self.listens = threading.Event()
        arguments = [item for topic in (*topics, self.probe) for item in ("-t", topic)]
        self.process = subprocess.Popen(
            [require("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-q", str(qos), "-F",
             '{"topic":"%t","qos":%q,"retain":%r,"hex":"%x"}', *arguments, *extra],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.heard: list[dict] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            message = json.loads(line)
            if message["topic"] == self.probe:
                self.listens.set()
                continue
            message["data"] = bytes.fromhex(message.pop("hex"))
            self.heard.append(message)

    def first(self, condition):
        def found():
            return next((m for m in list(self.heard) if condition(m, body(m))), None)

        return until(found, "the message")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


def body(message: dict) -> dict:
    return json.loads(message["data"])


@pytest.fixture
def ear():
    ears = []

    def listen(port, *topics, **kwargs):
        made = Ear(port, *topics, **kwargs)
        ears.append(made)

        def hears():
            shout(port, made.probe, b"{}")
            return made.listens.is_set()

        if "extra" not in kwargs:  # with it, it asks for something else than what comes
            until(hears, "a subscription")
        return made

    yield listen
    for item in ears:
        item.end()


def shout(port: int, topic: str, data: bytes, *extra: str) -> None:
    subprocess.run(
        [require("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", topic,
         "-s" if data else "-n", *extra],
        input=data, check=True, timeout=10,
    )  # fmt: skip


@pytest.fixture
def live(site, mosquitto):
    """A ready topology on Mosquitto."""
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {mosquitto.port}}}")
    site.run = site.up().ready()
    site.port = mosquitto.port
    return site


def test_retained_policy_reaches_a_late_subscriber(live, ear):
    live.run.wait_line("lc1: cycle 1 ")  # so both policies have long been published
    late = ear(live.port, f"{live.root}/policy/#")
    policy = late.first(lambda m, _: m["topic"] == f"{live.root}/policy/r1")
    assert (policy["qos"], policy["retain"]) == (1, 1)
    assert body(policy)["sender_id"] == "rc1"
    assert body(policy)["payload"]["scan_interval"] == 1.0
    assert body(policy)["payload"]["targets"].keys() == {"lc1", "lc2"}
    wide = late.first(lambda m, _: m["topic"] == f"{live.root}/policy/global")
    assert (wide["qos"], wide["retain"]) == (1, 1)


def test_report_has_the_topic_qos_and_retain_that_are_declared(live, ear):
    heard = ear(live.port, f"{live.root}/discovery/#", f"{live.root}/status/#")
    report = heard.first(lambda m, _: m["topic"] == f"{live.root}/discovery/r1/lc1")
    assert (report["qos"], report["retain"]) == (1, 0)
    assert body(report)["message_type"] == "discovery_report"
    beat = heard.first(
        lambda m, b: m["topic"] == f"{live.root}/status/lc1" and b["payload"]["state"] != "birth"
    )
    assert beat["qos"] == 0


def test_status_of_a_controller_is_retained_for_newcomers(live, ear):
    # A live heartbeat may come before the retained copy.
    heard = ear(live.port, f"{live.root}/status/+", extra=["--retained-only"])
    for name in ("g1", "rc1", "lc1", "lc2"):
        found = heard.first(lambda m, _, name=name: m["topic"] == f"{live.root}/status/{name}")
        assert found["retain"] == 1


def test_killed_local_is_announced_by_its_will_and_by_its_region(live, ear):
    heard = ear(live.port, f"{live.root}/status/lc1", f"{live.root}/events/system")
    heard.first(lambda _, b: b["payload"].get("state") == "heartbeat")
    pid = live.row("lc1")["pid"]
    os.kill(pid, signal.SIGKILL)
    will = heard.first(lambda _, b: b["payload"].get("state") == "death")
    assert will["qos"] == 1
    assert body(will)["payload"]["reason"] == "will"
    event = heard.first(lambda _, b: b["payload"].get("event") == "controller_down")
    assert body(event)["sender_id"] == "rc1"
    assert body(event)["payload"]["subject"] == "lc1"
    assert body(event)["payload"]["detail"]["reason"] == "will"


def test_frozen_local_is_announced_after_three_missed_heartbeats(live, ear):
    heard = ear(live.port, f"{live.root}/events/system")
    pid = live.row("lc1")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        event = heard.first(lambda _, b: b["payload"].get("event") == "controller_down")
        assert body(event)["payload"]["detail"]["reason"] == "silence"
        assert body(event)["payload"]["subject"] == "lc1"
    finally:
        os.kill(pid, signal.SIGCONT)
    back = heard.first(lambda _, b: b["payload"].get("event") == "controller_up")
    assert body(back)["payload"]["subject"] == "lc1"


def test_ctrl_c_is_announced_as_a_wanted_stop(live, ear):
    heard = ear(live.port, f"{live.root}/status/lc1")
    heard.first(lambda _, b: b["payload"]["state"] in ("birth", "heartbeat"))
    live.run.interrupt()
    assert live.run.end() == 0
    death = heard.first(lambda _, b: b["payload"]["state"] == "death")
    assert body(death)["payload"]["reason"] == "stop"


def forgeries(topic: str, real: bytes):
    """Yield (reason, topic, bytes) of messages that no receiver may apply."""
    document = json.loads(real)
    bare = {key: value for key, value in document.items() if key != "signature"}
    yield "unsigned", topic, json.dumps(bare).encode()
    yield "altered", topic, real.replace(b'"cycle":', b'"cycle":9', 1)
    yield "altered", topic.replace("/lc1", "/lc2"), real
    yield "unsigned", topic, b"\xff\xfe not json"
    yield "unsigned", topic, b"[" * 100_000
    yield "oversized", topic, b" " * (1024 * 1024 + 1)


def test_forged_reports_are_refused_counted_and_kill_nothing(live, ear):
    topic = f"{live.root}/discovery/r1/lc1"
    heard = ear(live.port, topic)
    real = heard.first(lambda m, _: m["topic"] == topic)["data"]
    before = live.row("rc1")
    wanted: dict[str, int] = {}
    for reason, where, data in forgeries(topic, real):
        wanted[reason] = wanted.get(reason, 0) + 1
        shout(live.port, where, data)
    until(lambda: live.row("rc1")["refused"] == wanted, f"the refusal of {wanted}")
    after = live.row("rc1")
    assert after["pid"] == before["pid"]
    assert after["restarts"] == 0
    log = (live.state / "logs" / "rc1.log").read_text()
    for reason in wanted:
        assert f"refused on {live.root}/discovery/r1/lc" in log
        assert reason in log
    cycle = live.row("lc1")["committed"]
    until(lambda: live.row("lc1")["committed"] > cycle, "a later report")


def test_replayed_report_is_dropped_as_a_duplicate(live, ear):
    topic = f"{live.root}/discovery/r1/lc1"
    heard = ear(live.port, topic)
    real = heard.first(lambda m, _: m["topic"] == topic)["data"]
    before = live.row("rc1")["duplicates"]  # what its sender itself sent again
    for _ in range(3):
        shout(live.port, topic, real)
    until(lambda: live.row("rc1")["duplicates"] >= before + 3, "three duplicates")


def test_policy_signed_by_the_wrong_controller_is_refused(live):
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.model.messages import PolicyDocument
    from pdsno_cli.model.topics import TopicMap

    key = bytes.fromhex((live.state / "key").read_text())
    topics = TopicMap(root=live.root)
    forged = Codec(key, topics, 1_000_000).seal(
        topic=topics.policy("r1"),
        sender_id="lc2",
        message_type="policy",
        payload=PolicyDocument(scope="r1", version=10**11, scan_interval=3600.0),
        epoch=10**10,
        seq=1,
    )
    shout(live.port, topics.policy("r1"), forged)
    until(lambda: live.row("lc1")["refused"].get("wrong-topic") == 1, "its refusal")


def test_up_with_refused_credentials_is_one_line(site, tmp_path, free_port):
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    subprocess.run(
        ["mosquitto_passwd", "-b", str(passwords), "pdsno", "right"], check=True,
        capture_output=True,
    )  # fmt: skip
    broker = Mosquitto(tmp_path, free_port, f"password_file {passwords}", "allow_anonymous false")
    try:
        until(broker.answers, "Mosquitto's start")
        where = f"host: 127.0.0.1, port: {free_port}"
        site.write(
            broker=f"{{embedded: false, {where}, username: pdsno, "
            "password: '${PDSNO_TEST_PASSWORD}'}"
        )
        refused = site.up(env={"PDSNO_TEST_PASSWORD": "wrong"})
        assert refused.end() == 1
        assert len(refused.lines) == 2, refused.lines
        assert refused.lines[0].startswith("error:")
        assert f"127.0.0.1:{free_port}" in refused.lines[0]
        assert refused.members() == []
        unset = site.up()
        assert unset.end() == 1
        assert "PDSNO_TEST_PASSWORD" in unset.lines[0]
        assert site.up("--cycles", "1", env={"PDSNO_TEST_PASSWORD": "right"}).end() == 0
    finally:
        broker.end()


def test_broker_killed_and_back_is_survived_by_every_controller(site, tmp_path, free_port):
    broker = Mosquitto(tmp_path, free_port, "allow_anonymous true")
    until(broker.answers, "Mosquitto's start")
    site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {free_port}}}")
    run = site.up().ready()
    pids = {row["id"]: row["pid"] for row in site.status()["controllers"]}
    broker.end()
    run.wait_line("lc1: disconnected")
    broker = Mosquitto(tmp_path, free_port, "allow_anonymous true")
    try:

        def back():
            rows = site.status()["controllers"]
            return all(row["state"] == "ready" for row in rows)

        until(back, "every controller being ready again", 60)
        cycle = site.row("lc1")["cycle"]
        until(lambda: site.row("lc1")["committed_at_top"] > cycle, "later cycles at the top")
        assert pids == {row["id"]: row["pid"] for row in site.status()["controllers"]}
        run.interrupt()
        assert run.end() == 0
    finally:
        broker.end()


def hosts(*ports: int) -> str:
    return "[" + ", ".join(f'"127.0.0.1:{port}"' for port in ports) + "]"


def test_up_goes_on_to_the_address_that_answers(site, mosquitto):
    site.write(broker=f"{{hosts: {hosts(free_port(), mosquitto.port)}}}")
    assert site.up("--cycles", "1").end() == 0


def test_up_names_the_reason_of_each_address_without_a_broker(site):
    ports = free_port(), free_port()
    site.write(broker=f"{{hosts: {hosts(*ports)}}}")
    run = site.up()
    assert run.end() == 1
    for port in ports:
        assert f"broker 127.0.0.1:{port}: connection refused" in run.lines[0]


def test_ctrl_c_does_not_wait_for_a_broker_that_is_mute(site):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(20)
        site.write(broker=f"{{host: 127.0.0.1, port: {mute.getsockname()[1]}}}")
        run = site.up()
        peer, _ = mute.accept()
        with peer:
            began = time.monotonic()
            run.interrupt()
            assert run.end() == 0
            assert time.monotonic() - began < 9  # and not when the connection times out
            assert run.members() == []


def test_a_second_process_of_one_controller_is_fatal_and_both_are_named(site, mosquitto, tmp_path):
    site.write(broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}", lab=False)
    runs = []
    for name in ("one", "two"):  # as on two machines
        state = tmp_path / name
        state.mkdir(mode=0o700)
        (state / "key").write_text("ab" * 32)
        (state / "key").chmod(0o600)
        runs.append(
            site.pdsno("controller", "run", str(site.file), "g1", "--state-dir", str(state))
        )
    ended = until(lambda: [run for run in runs if run.process.poll() is not None], "the end of one")
    assert ended[0].end() == 1
    error = next(line for line in ended[0].lines if line.startswith("error:"))
    assert f"'{site.root}-g1'" in error
    for run in runs:
        assert f"{os.uname().nodename}, process {run.process.pid}" in error


def coalesced(site) -> set[str]:
    """Return the streams of which the global controller knows that messages gave way."""
    with closing(open_reader(site.state / "stores" / "g1.db")) as store:
        events = [record.event for record in store.events(1000)]
    return {item.detail["stream"] for item in events if item.event == "outbox_coalesced"}


@pytest.mark.long
def test_outbox_that_is_full_gives_way_to_the_newest_state(site, mosquitto, tmp_path):
    site.write(
        broker=f"{{host: 127.0.0.1, port: {mosquitto.port}}}",
        interval="300ms",
        extra="outbox: {messages: 3}",
    )
    run = site.up().ready()
    until(lambda: len(site.devices()) == 6, "a full view")
    mosquitto.process.kill()
    mosquitto.process.wait()
    run.wait_line("disconnected|refused|lost|closed", wait=10)
    before = site.row("lc1")["cycle"]
    assert site.ask("lab", "remove", str(site.file), f"{site.net}.1").returncode == 0
    until(lambda: site.row("lc1")["cycle"] > before + 8, "cycles without a broker")
    assert site.row("lc1")["waiting"] <= 6
    again = Mosquitto(tmp_path, mosquitto.port, "allow_anonymous true")
    try:
        until(lambda: len(site.devices()) == 5, "the state as it is now")
        until(lambda: "discovery/r1/lc1" in coalesced(site), "the event that says so")
        run.interrupt()
        assert run.end() == 0
    finally:
        again.end()
    done = site.ask("audit", str(site.file), "--json")
    assert done.returncode == 0, done.stdout
    assert sum(row["coalesced"] for row in json.loads(done.stdout)["streams"]) > 0

"""A foreign client with our id raises an alarm; of two processes of ours the earlier ends."""

from __future__ import annotations

import json
import threading
import time

import pytest

from pdsno_cli.messaging.client_id_owner import ClientIdClaim, ClientIdOwner
from pdsno_cli.messaging.client_id_probe import ClientIdProbe
from tests.messaging.recorder import Recorder


def read(_topic, data) -> ClientIdOwner | None:
    """Read a birth that counts as signed, except that of a ``stranger``."""
    status = json.loads(data)
    if status["state"] == "death":
        return None
    return ClientIdOwner(status["holder"], 0 if status["holder"] == "stranger" else status["epoch"])


class Twin(Recorder):
    """Publishes its birth, with its holder, once it is up; as a controller does."""

    def __init__(self, topic: str, label: str, epoch: int) -> None:
        super().__init__()
        self.claim = ClientIdClaim(topic, label, epoch, read)
        self.transport = None

    def on_up(self, connection: int, session_present: bool) -> None:
        super().on_up(connection, session_present)
        birth = {"state": "birth", "holder": self.claim.label, "epoch": self.claim.epoch}
        self.transport.publish(self.claim.topic, json.dumps(birth).encode(), qos=0, retain=True)


@pytest.mark.parametrize("first_epoch", [1, 3], ids=["earlier first", "later first"])
def test_of_two_processes_of_ours_the_earlier_ends_and_both_are_named(
    broker, connect, topic_root, first_epoch
):
    made = []
    for label, epoch in (("host-a, process 1", first_epoch), ("host-b, process 2", 2)):
        twin = Twin(f"{topic_root}/status", label, epoch)
        made.append(twin)
        connect(broker, "twin", f"{topic_root}/x", listener=twin, claim=twin.claim, start=False)
        twin.transport.start(twin)
        if len(made) == 1:
            twin.wait_up()
    earlier, later = sorted(made, key=lambda twin: twin.claim.epoch)
    earlier.wait(lambda r: r.ends, 40)
    assert "'twin'" in earlier.ends[0]
    assert "host-a, process 1" in earlier.ends[0]
    assert "host-b, process 2" in earlier.ends[0]
    # The other one has it for itself now.
    count = len(later.ups)
    later.transport.publish(f"{topic_root}/x", b"alone", qos=1, retain=False)
    later.wait(lambda r: b"alone" in r.data or len(r.ups) > count)
    assert later.ends == []


def asks(connect, broker):
    """Return what makes other clients of a broker."""
    return lambda filters: connect(broker, f"asking-{'-'.join(filters)}", *filters, start=False)[0]


class Thief:
    """Connects with a foreign client id again and again."""

    def __init__(self, connect, broker, client_id: str, every: float) -> None:
        self._connect, self._broker, self._id, self._every = connect, broker, client_id, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._steal, daemon=True)
        self._thread.start()

    def _steal(self) -> None:
        while not self._over.is_set():
            transport, _ = self._connect(self._broker, self._id)
            self._over.wait(self._every)
            transport.stop()

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def test_foreign_client_keeps_the_id_and_raises_an_alarm(broker, connect, topic_root, monkeypatch):
    monkeypatch.setattr("pdsno_cli.messaging.client_id_probe._BIRTH_WAIT", 0.3)
    monkeypatch.setattr("pdsno_cli.messaging.client_id_conflict._CONFIRMED", 1.0)
    one = Twin(f"{topic_root}/status", "host-a, process 1", 1)
    connect(broker, "victim", f"{topic_root}/#", listener=one, claim=one.claim, start=False)
    one.transport.start(one)
    one.wait_up()
    thief = Thief(connect, broker, "victim", 0.5)
    try:
        one.wait(lambda r: r.alarms, 40)
        count = len(one.ups)
        one.transport.publish(f"{topic_root}/x", b"here", qos=1, retain=False)
        one.wait(lambda r: b"here" in r.data)
        time.sleep(1.2)  # the thief goes on, to no effect
        assert len(one.ups) == count
    finally:
        thief.end()
    (alarm,) = one.alarms
    assert alarm.event == "client_id_taken_over"
    assert alarm.detail["client_id"] == "victim"
    assert alarm.detail["address"].startswith("127.0.0.1:")
    assert "'victim'" in alarm.text
    assert one.ends == []


def test_broker_log_yields_the_address_of_the_foreign_client(
    mosquitto, connect, topic_root, monkeypatch
):
    monkeypatch.setattr("pdsno_cli.messaging.client_id_probe._BIRTH_WAIT", 0.3)
    monkeypatch.setattr("pdsno_cli.messaging.client_id_conflict._CONFIRMED", 0.5)
    broker = mosquitto("allow_anonymous true", "log_dest topic", "log_type all")
    one = Twin(f"{topic_root}/status", "host-a, process 1", 1)
    connect(broker, "victim", f"{topic_root}/#", listener=one, claim=one.claim, start=False)
    one.transport.start(one)
    one.wait_up()
    thief = Thief(connect, broker, "victim", 0.3)
    try:
        one.wait(lambda r: r.alarms, 40)
    finally:
        thief.end()
    detail = one.alarms[0].detail
    assert detail["other_address"].startswith("127.0.0.1")
    assert detail["other_address"] != detail["address"]


def test_flapping_broker_is_not_a_conflict(mosquitto, connect, topic_root, monkeypatch):
    monkeypatch.setattr("pdsno_cli.messaging.client_id_probe._BIRTH_WAIT", 0.3)
    monkeypatch.setattr("pdsno_cli.messaging.client_id_conflict._CONFIRMED", 0.5)
    broker = mosquitto()
    one = Twin(f"{topic_root}/status", "host-a, process 1", 1)
    connect(broker, "one", f"{topic_root}/#", listener=one, claim=one.claim, start=False)
    one.transport.start(one)
    for times in range(1, 7):
        one.wait_up(times)
        broker.kill()
        broker.start()
    one.wait_up(7)
    time.sleep(1)
    assert one.alarms == one.ends == []
    assert not one.transport._client_id.private


def test_reason_session_taken_over_is_a_conflict_immediately(answering, connect, monkeypatch):
    # As MQTT 5 wants it; Mosquitto 2.0.11 and rumqttd close without a word.
    monkeypatch.setattr("pdsno_cli.messaging.client_id_probe._BIRTH_WAIT", 0.3)
    port = answering(b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01\xe0\x02\x8e\x00")
    claim = ClientIdClaim("status", "host-a, process 1", 1, read)
    _, one = connect(port, "twin", "x", protocol="5", claim=claim)
    one.wait(lambda r: r.alarms)
    assert "another client connected with client id 'twin'" in one.alarms[0].text
    one.wait(lambda r: len(r.ups) > 1)
    assert one.ends == []


def test_unsigned_status_ends_no_process(mosquitto, connect, topic_root):
    broker = mosquitto()
    one = Twin(f"{topic_root}/status", "host-a, process 1", 1)
    sender, up = connect(broker, "sender")
    up.wait_up()
    birth = {"state": "birth", "holder": "stranger", "epoch": 2**50}
    sender.publish(one.claim.topic, json.dumps(birth).encode(), qos=1, retain=True)
    probe = ClientIdProbe(asks(connect, broker), one.claim, "one")
    found = probe.find(lambda: False)
    assert probe.outlasts(lambda: False)
    assert found == ClientIdOwner("stranger", 0)
    assert not one.claim.yields_to(found)


def test_retained_death_is_not_another_owner(mosquitto, connect, monkeypatch):
    monkeypatch.setattr("pdsno_cli.messaging.client_id_probe._BIRTH_WAIT", 0.3)
    broker = mosquitto()
    sender, up = connect(broker, "sender")
    up.wait_up()
    sender.publish("status/one", b'{"state": "death", "holder": "old"}', qos=1, retain=True)
    probe = ClientIdProbe(asks(connect, broker), ClientIdClaim("status/one", "new", 1, read), "one")
    assert probe.find(lambda: False) is None


def test_probe_of_a_broker_that_ended_proves_nothing(mosquitto, connect, topic_root):
    # Asked before its own thread can notice that the broker ended.
    broker = mosquitto()
    claim = ClientIdClaim(f"{topic_root}/status", "host-a, process 1", 1, read)
    probe = ClientIdProbe(asks(connect, broker), claim, "one")
    try:
        assert probe.find(lambda: False) is None
        broker.kill()
        assert not probe.outlasts(lambda: False)
    finally:
        probe.close()

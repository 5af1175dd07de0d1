"""Two processes with one client id do not evict each other for ever, and are both named."""

from __future__ import annotations

import json
import time

from pdsno_cli.messaging import rival
from pdsno_cli.messaging.rival import Claim
from tests.messaging.recorder import Recorder


class Twin(Recorder):
    """Publishes its birth, with its holder, once it is up; as a controller does."""

    def __init__(self, topic: str, holder: str) -> None:
        super().__init__()
        self.claim = Claim(topic, holder)
        self.transport = None

    def on_up(self, connection: int, session_present: bool) -> None:
        super().on_up(connection, session_present)
        birth = {"payload": {"state": "birth", "holder": self.claim.holder}}
        self.transport.publish(self.claim.topic, json.dumps(birth).encode(), qos=0, retain=True)


def twins(connect, broker, topic_root):
    made = []
    for holder in ("host-a, process 1", "host-b, process 2"):
        twin = Twin(f"{topic_root}/status", holder)
        made.append(twin)
        connect(broker, "twin", f"{topic_root}/x", listener=twin, claim=twin.claim, start=False)
        twin.transport.start(twin)
        if len(made) == 1:
            twin.wait_up()
    return made


def fatal(one, other, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while not (one.fatals or other.fatals):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return (one.fatals + other.fatals)[0]


def test_both_holders_of_a_client_id_are_named(broker, connect, topic_root):
    one, other = twins(connect, broker, topic_root)
    sentence = fatal(one, other, 40)
    assert "'twin'" in sentence
    assert "host-a, process 1" in sentence
    assert "host-b, process 2" in sentence
    # The other one has it for itself now.
    stays = one if other.fatals else other
    count = len(stays.ups)
    stays.transport.publish(f"{topic_root}/x", b"alone", qos=1, retain=False)
    stays.wait(lambda r: b"alone" in r.data or len(r.ups) > count)
    assert stays.fatals == []


def test_a_broker_that_gives_the_reason_is_believed_though_the_other_is_unknown(
    answering, connect, monkeypatch
):
    # As MQTT 5 wants it; Mosquitto 2.0.11 and rumqttd close without a word.
    monkeypatch.setattr("pdsno_cli.messaging.rival._PATIENCE", 0.3)
    port = answering(b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01\xe0\x02\x8e\x00")
    claim = Claim("status", "host-a, process 1")
    _, one = connect(port, "twin", "x", protocol="5", claim=claim)
    one.wait(lambda r: r.fatals)
    assert "another process connected with client id 'twin'" in one.fatals[0]
    assert "took the session over from host-a, process 1;" in one.fatals[0]
    assert len(one.ups) == 1


def test_one_who_died_before_is_not_taken_for_the_other(mosquitto, connect, monkeypatch):
    monkeypatch.setattr("pdsno_cli.messaging.rival._PATIENCE", 0.3)
    broker = mosquitto()
    sender, up = connect(broker, "sender")
    up.wait_up()
    for number, state in enumerate((b'"death"', b"7", b"null")):
        said = b'{"payload": {"state": %s, "holder": "old"}}' % state
        sender.publish(f"status/{number}", said, qos=1, retain=True)
    sender.publish("status/other", b"\xff", qos=1, retain=True)
    sender.publish("status/end", b"{}", qos=1, retain=False)
    asking, _ = connect(broker, "asking", "status/+", start=False)
    assert rival.find(asking, "new", lambda: False) == ""

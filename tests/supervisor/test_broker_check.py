"""The check of a declared broker, with one that the test drives; real ones are in tests/e2e."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.transport import Arrival, Loss
from pdsno_cli.model.errors import BrokerError, OperationError
from pdsno_cli.supervisor import broker_check
from pdsno_cli.supervisor.broker_check import check_broker
from tests.conftest import ONE_OF_EACH

ACCESS = SimpleNamespace(addresses=["127.0.0.1:1883"])
LIVE = {"payload": {"state": "birth", "holder": "noc-1, process 7", "heartbeat": 1}}


class Broker:
    """Delivers retained messages, then what is published, its topics changed by ``deliver``."""

    def __init__(self, *, retained=(), beats=(), deliver=lambda topic: topic, denies=False):
        self._retained, self._beats, self._deliver = retained, beats, deliver
        self._denies = denies

    def start(self, listener):
        self._listener = listener
        if self._denies:
            listener.on_down(Loss(reason="not authorised", refused=True))
            return
        for topic, document in self._retained:
            listener.on_message(Arrival(topic, json.dumps(document).encode(), retained=True))
        listener.on_up(1, False)
        for topic, document in self._beats:
            listener.on_message(Arrival(topic, json.dumps(document).encode()))

    def publish(self, topic, data, *, qos, retain):
        delivered = self._deliver(topic)
        if delivered is not None:
            self._listener.on_message(Arrival(delivered, data))
        return True

    def stop(self):
        self.stopped = True


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Return a function that checks a broker and returns the announcements."""
    monkeypatch.setattr(broker_check, "_ANSWER", 0.1)
    monkeypatch.setattr(broker_check, "_LONGEST", 0.1)

    def run(broker, *, region="r"):
        monkeypatch.setattr(broker_check, "probe_transport", lambda *_, **__: broker)
        file = tmp_path / "one.yaml"
        text = ONE_OF_EACH.replace("regions: {r: ", f"regions: {{{region}: ")
        file.write_text(text.replace("region: r", f"region: {region}"))
        topology = require(str(file))
        codec = Codec(b"k" * 32, topology.topics, 100_000, lambda *_: True)
        announced = []
        try:
            check_broker(topology, ACCESS, codec, announced.append)
        finally:
            assert broker.stopped
        return announced

    return run


def test_a_broker_without_traces_passes(check):
    assert check(Broker()) == []


def test_a_broker_that_denies_the_check_passes(check):
    assert check(Broker(denies=True)) == []


def test_a_retained_status_without_heartbeats_is_announced_and_passes(check):
    (line,) = check(Broker(retained=[("pdsno/status/lc", LIVE)]))
    assert line.startswith("the broker retains a live status of lc (noc-1, process 7)")


def test_a_heartbeat_of_the_same_id_is_another_run(check):
    beat = ("pdsno/status/lc", LIVE)
    with pytest.raises(OperationError, match=r"another run uses topic root 'pdsno' and lc .*noc-1"):
        check(Broker(retained=[beat], beats=[beat]))


def test_a_heartbeat_of_another_id_passes(check):
    beat = ("pdsno/status/other", LIVE)
    assert check(Broker(retained=[beat], beats=[beat])) == []


def test_a_broker_that_changes_a_level_is_refused_with_how(check):
    check(Broker(), region="r.1")
    with pytest.raises(BrokerError, match=r"does not keep 'r.1' .*\(delivers it as .*/r/1/x"):
        check(Broker(deliver=lambda topic: topic.replace(".", "/")), region="r.1")


def test_a_broker_that_drops_a_level_is_refused(check):
    broker = Broker(deliver=lambda topic: None if "r.1" in topic else topic)
    with pytest.raises(BrokerError, match="does not deliver it"):
        check(broker, region="r.1")

"""A broker that is stopped in its tracks: the kernel still accepts for it, and nothing answers."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.messaging.transport import Publication
from pdsno_cli.spec.topology import Tls
from tests.messaging.recorder import Recorder

SLACK = 4.0  # seconds of a machine that has other things to do; what is not to happen takes ten


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "publishing"])
def test_silent_broker_is_noticed_and_reconnected(broker, connect, topic_root, busy):
    one, recorder = connect(broker, "one", f"{topic_root}/#", keepalive=1.0)
    recorder.wait_up()
    broker.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    while not recorder.downs:
        assert time.monotonic() - frozen < 1.5 + SLACK
        if busy:
            one.publish(f"{topic_root}/a", b"x" * 100, qos=0, retain=False)
        time.sleep(0.02)
    assert "silent for longer than the keepalive" in recorder.downs[0]
    # Connecting again hangs no longer than that, either.
    recorder.wait(lambda r: len(r.downs) > 1, 1.5 + 0.5 + SLACK)
    assert "no answer to CONNECT" in recorder.downs[1]
    broker.send_signal(signal.SIGCONT)
    recorder.wait_up(2)


def test_a_broker_that_only_listens_is_not_lost(broker, connect, topic_root):
    one, recorder = connect(broker, "one", f"{topic_root}/#", keepalive=1.0)
    recorder.wait_up()
    end = time.monotonic() + 3
    while time.monotonic() < end:  # received and sent all the while, then neither
        one.publish(f"{topic_root}/a", b"", qos=0, retain=False)
        time.sleep(0.1)
    time.sleep(2.0)
    assert recorder.downs == []


def test_client_that_only_receives_is_not_disconnected(broker, connect, topic_root):
    # A subscriber at QoS 0 sends nothing by itself: the broker would take it for dead.
    one, up = connect(broker, "sender")
    _, recorder = connect(broker, "one", f"{topic_root}/#", keepalive=1.0, qos=0)
    up.wait_up()
    recorder.wait_up()
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        one.publish(f"{topic_root}/a", b"", qos=0, retain=False)
        time.sleep(0.05)
    assert recorder.downs == []


@pytest.fixture
def mute():
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def stopped_in(transport: MqttTransport, farewell: Publication | None = None) -> float:
    began = time.monotonic()
    transport.stop(farewell)
    return time.monotonic() - began


@pytest.mark.parametrize("tls", [None, Tls()], ids=["plain", "TLS"])
def test_stop_does_not_wait_for_a_broker_that_is_mute(mute, connect, tls):
    transport, recorder = connect(mute, "one", tls=tls)
    deadline = time.monotonic() + 5
    while transport._client is None or transport._poller._watched < 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert stopped_in(transport) < SLACK
    assert recorder.ups == recorder.ends == []
    assert not any(thread.name == "mqtt one" for thread in threading.enumerate())


def test_tls_with_a_mute_broker_times_out(mute, connect):
    _, recorder = connect(mute, "one", tls=Tls(), keepalive=1.0)
    recorder.wait(lambda r: r.downs, 5.0)  # not the ten of a long keepalive
    assert "no answer" in recorder.downs[0]


def test_stop_waits_for_a_frozen_broker_only_for_its_farewell(mosquitto, connect, topic_root):
    broker = mosquitto()
    one, recorder = connect(broker, "one", f"{topic_root}/#", listener=Recorder())
    recorder.wait_up()
    broker.send_signal(signal.SIGSTOP)
    while one.publish(f"{topic_root}/a", b"x" * 1_000_000, qos=1, retain=False):
        pass  # until no buffer takes any more
    farewell = Publication(topic=f"{topic_root}/a", data=b"bye", qos=1, retain=False)
    assert stopped_in(one, farewell) < 1.5 + SLACK
    assert not any(thread.name == "mqtt one" for thread in threading.enumerate())

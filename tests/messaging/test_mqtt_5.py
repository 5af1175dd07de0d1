"""What MQTT 5 adds: limits that the broker names, messages that expire, reasons."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.messaging.recorder import Recorder


def test_a_packet_over_the_brokers_maximum_is_refused_before_it_is_sent(
    mosquitto, connect, topic_root, caplog
):
    broker = mosquitto("allow_anonymous true", "max_packet_size 2000")
    one, recorder = connect(broker, "one", f"{topic_root}/#", protocol="5")
    recorder.wait_up()
    assert "accepts packets of up to 2000 bytes" in caplog.text
    topic = f"{topic_root}/é"
    with pytest.raises(ValueError, match="over the broker's limit of ") as caught:
        one.publish(topic, b"x" * 2000, qos=1, retain=False)
    limit = int(str(caught.value).rsplit(" ", 1)[1])
    assert limit > 1900
    with pytest.raises(ValueError, match="over the broker's limit"):
        one.publish(topic, b"x" * (limit + 1), qos=1, retain=False)
    assert one.publish(topic, b"x" * limit, qos=1, retain=False, expiry=60)
    recorder.wait_messages(1)
    assert recorder.downs == []


def test_the_brokers_receive_maximum_holds_before_and_after_a_reconnect(
    mosquitto, connect, topic_root
):
    broker = mosquitto("allow_anonymous true", "max_inflight_messages 3")
    one, recorder = connect(broker, "one", f"{topic_root}/#", protocol="5")
    recorder.wait_up()
    broker.send_signal(signal.SIGSTOP)
    for number in range(50):
        assert one.publish(f"{topic_root}/a", b"%d" % number, qos=1, retain=False)
    broker.kill()
    broker.start()
    recorder.wait_messages(50)
    assert recorder.data == [b"%d" % number for number in range(50)]
    assert not any("accepting it" in line or "eceive" in line for line in recorder.downs)


def test_a_server_keep_alive_is_kept(answering, connect):
    # CONNACK with a server keep alive of one second; then nothing, not even an answer to a ping.
    port = answering(b"\x20\x06\x00\x00\x03\x13\x00\x01", hold=True)
    _, recorder = connect(port, "one", protocol="5", keepalive=60.0)
    recorder.wait_up()
    began = time.monotonic()
    recorder.wait(lambda r: r.downs)
    assert "silent for longer than the keepalive" in recorder.downs[0]
    assert time.monotonic() - began < 20  # of the sixty declared


def left_behind(broker, connect, topic_root, protocol) -> list[bytes]:
    """Return the messages received of one that expires in a second and one that does not."""
    one, recorder = connect(broker, "one", f"{topic_root}/#", protocol=protocol, persistent=True)
    recorder.wait_up()
    one.stop()
    sender, up = connect(broker, "sender", protocol=protocol)
    up.wait_up()
    assert sender.publish(f"{topic_root}/a", b"order", qos=1, retain=False, expiry=1)
    assert sender.publish(f"{topic_root}/a", b"news", qos=1, retain=False)
    time.sleep(2.2)  # the broker counts whole seconds
    _, again = connect(
        broker, "one", f"{topic_root}/#", protocol=protocol, persistent=True, listener=Recorder()
    )
    again.wait(lambda r: b"news" in r.data)
    return again.data


@pytest.mark.parametrize(("protocol", "left"), [("5", [b"news"]), ("3.1.1", [b"order", b"news"])])
def test_a_message_that_expired_is_not_delivered_in_mqtt_5(
    mosquitto, connect, topic_root, protocol, left
):
    assert left_behind(mosquitto(), connect, topic_root, protocol) == left


def test_the_largest_packet_is_announced_so_that_the_broker_sends_none_that_is_larger(connect):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        connect(server.getsockname()[1], "one", protocol="5", max_payload=1_000_000)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(10)
            packet = peer.recv(1000)
    at = packet.index(b"\x27")  # Maximum Packet Size (MQTT 5.0 section 3.1.2.11.4)
    assert 1_000_000 < int.from_bytes(packet[at + 1 : at + 5], "big") < 1_100_000

"""What a broker refuses is said in a sentence, and tried again: nothing that it does is final."""

from __future__ import annotations

import signal
import subprocess

import pytest

from pdsno_cli.messaging.backoff import CAP
from pdsno_cli.model.errors import BrokerError
from pdsno_cli.spec.topology import Tls
from tests.certificates import make_certificates
from tests.conftest import require

PROTOCOLS = ("3.1.1", "5")


@pytest.fixture
def guarded(mosquitto, tmp_path):
    """A Mosquitto that wants a password and lets ``alice`` use ``open/#`` only."""
    passwords, rights = tmp_path / "passwords", tmp_path / "acl"
    subprocess.run(
        [require("mosquitto_passwd"), "-b", "-c", passwords, "alice", "secret"],
        check=True,
        capture_output=True,
    )
    rights.write_text("user alice\ntopic readwrite open/#\ntopic deny closed/#\n")
    return mosquitto("allow_anonymous false", f"password_file {passwords}", f"acl_file {rights}")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_good_credentials_are_let_in(guarded, connect, protocol):
    _, recorder = connect(
        guarded, "one", "open/#", protocol=protocol, username="alice", password="secret"
    )
    recorder.wait_up()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("credentials", "who"),
    [
        (("alice", "guess"), "'alice'"),
        (("bob", "secret"), "'bob'"),
        ((None, None), "without user name"),
    ],
)
def test_bad_credentials_are_named_and_tried_again(guarded, connect, protocol, credentials, who):
    username, password = credentials
    transport, recorder = connect(
        guarded, "one", protocol=protocol, username=username, password=password
    )
    recorder.wait(lambda r: len(r.downs) > 1)
    assert "refuses the credentials" in recorder.downs[0]
    assert who in recorder.downs[0]
    assert "guess" not in recorder.downs[0]
    assert not transport.publish("open/a", b"", qos=1, retain=False)
    assert recorder.ups == recorder.ends == []
    assert all(loss.refused and loss.retry_in <= CAP for loss in recorder.losses)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_credentials_that_become_right_are_let_in(guarded, connect, tmp_path, protocol):
    transport, recorder = connect(
        guarded, "one", "open/#", protocol=protocol, username="alice", password="rotated"
    )
    recorder.wait(lambda r: r.downs)
    subprocess.run(
        [require("mosquitto_passwd"), "-b", tmp_path / "passwords", "alice", "rotated"],
        check=True,
        capture_output=True,
    )
    guarded.send_signal(signal.SIGHUP)  # it reads the file again
    recorder.wait_up()
    assert transport.publish("open/a", b"", qos=1, retain=False)


def test_a_publication_that_is_not_permitted_is_an_alarm_in_mqtt_5(guarded, connect):
    transport, recorder = connect(
        guarded, "one", "open/#", protocol="5", username="alice", password="secret"
    )
    recorder.wait_up()
    for _ in range(3):
        assert transport.publish("closed/a", b"", qos=1, retain=False)
    recorder.wait(lambda r: r.alarms)
    assert transport.publish("open/a", b"still here", qos=1, retain=False)
    recorder.wait_messages(1)
    (alarm,) = recorder.alarms
    assert alarm.event == "message_refused"
    assert "'one' may not publish on closed/a" in alarm.text
    assert alarm.detail["topic"] == "closed/a"
    assert recorder.downs == recorder.ends == []


def test_a_message_over_the_broker_s_limit_is_an_alarm_and_no_exception(mosquitto, connect, caplog):
    # Mosquitto answers with a reason code that the standard does not have for PUBACK.
    broker = mosquitto("allow_anonymous true", "message_size_limit 1000")
    transport, recorder = connect(broker, "one", "a/#", protocol="5")
    recorder.wait_up()
    assert transport.publish("a/large", bytes(2000), qos=1, retain=False)
    recorder.wait(lambda r: r.alarms)
    assert "packet too large" in recorder.alarms[0].text
    assert transport.publish("a/small", b"small", qos=1, retain=False)
    recorder.wait_messages(1)
    assert len(recorder.ups) == 1
    assert "Traceback" not in caplog.text


def test_a_refused_subscription_is_named_and_tried_again(answering, connect):
    # CONNACK 0, then a SUBACK that grants the first filter and refuses the second.
    port = answering(b"\x20\x02\x00\x00", b"\x90\x04\x00\x01\x01\x80")
    _, recorder = connect(port, "one", "open/#", "closed/#")
    recorder.wait(lambda r: len(r.downs) > 1)
    assert "the subscription to closed/#" in recorder.downs[0]
    assert recorder.ups == recorder.ends == []


@pytest.mark.parametrize("packet", [b"\x90\x04\x00\x01\x00\x55", b"\xe0\x02\x55\x00"])
def test_unknown_reason_codes_are_retried(answering, connect, packet):
    _, recorder = connect(answering(b"\x20\x03\x00\x00\x00", packet), "one", "a/#", protocol="5")
    recorder.wait(lambda r: len(r.downs) > 1)
    assert recorder.ends == []


def test_a_subscription_granted_at_a_lower_qos_is_warned_of(answering, connect, caplog):
    port = answering(b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00", b"")
    _, recorder = connect(port, "one", "a/#")
    recorder.wait_up()
    assert "a/# is subscribed at QoS 0 only" in caplog.text


def test_a_broker_that_refuses_the_protocol_is_not_downgraded_to(answering, connect):
    _, recorder = connect(answering(b"\x20\x02\x00\x01"), "one")
    recorder.wait(lambda r: r.downs)
    assert "MQTT" in recorder.downs[0] or "protocol" in recorder.downs[0]
    assert recorder.ends == []


def test_a_broker_that_is_busy_is_tried_again(answering, connect):
    _, recorder = connect(answering(b"\x20\x02\x00\x03"), "one")
    recorder.wait(lambda r: len(r.downs) > 1)
    assert "Server unavailable" in recorder.downs[0]
    assert recorder.ends == []


@pytest.mark.parametrize("code", [0x8B, 0x8E], ids=["shutting down", "taken over"])
def test_reason_of_a_disconnect_is_quoted(answering, connect, code):
    port = answering(
        b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01\xe0\x02" + bytes((code, 0))
    )
    _, recorder = connect(port, "one", "a/#", protocol="5")
    recorder.wait(lambda r: r.downs)
    said = "another client connected" if code == 0x8E else "Server shutting down"
    assert said in recorder.downs[0]
    assert recorder.ends == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "answer",
    [
        b"\x20\x00",
        b"\x20\xff\xff\xff\xff\xff",
        b"\xf0\x00",
        b"\x20\x02\x00\x00\x30\x01\x00",
        b"\x20\x02\x00\x00\x40\x00",
        b"\x20\x03\x00\x00\x00\x90\x00",
        b"\x20\x03\x00\x77\x00",
    ],
)
def test_invalid_packets_do_not_end_the_thread(answering, connect, answer, protocol):
    _, recorder = connect(answering(answer), "one", "a/#", protocol=protocol)
    recorder.wait(lambda r: len(r.downs) > 1)
    assert recorder.ends == []


def test_port_without_mqtt_is_named(answering, connect):
    _, recorder = connect(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "one")
    recorder.wait(lambda r: r.downs)
    assert "is it an MQTT broker?" in recorder.downs[0]


def test_a_name_that_does_not_resolve_is_said_to(connect):
    _, recorder = connect(1883, "one", host="broker.invalid")
    recorder.wait(lambda r: r.downs)
    assert "broker.invalid:1883: the host name does not resolve" in recorder.downs[0]


def test_a_name_that_can_be_none_is_said_to(connect):
    _, recorder = connect(1883, "one", host="broker..example")
    recorder.wait(lambda r: r.downs)
    assert "invalid host name" in recorder.downs[0]


def test_refused_connection_is_named(connect, free_port):
    _, recorder = connect(free_port, "one")
    recorder.wait(lambda r: r.downs)
    assert f"127.0.0.1:{free_port}: connection refused" in recorder.downs[0]


@pytest.fixture
def certificates(tmp_path):
    """An authority, a certificate for localhost and one for a client."""
    make_certificates(tmp_path)
    return tmp_path.joinpath


@pytest.fixture
def secured(mosquitto, certificates):
    """A Mosquitto that speaks TLS and wants a client's certificate."""
    return mosquitto(
        "allow_anonymous true",
        f"cafile {certificates('ca.pem')}",
        f"certfile {certificates('server.pem')}",
        f"keyfile {certificates('server.key')}",
        "require_certificate true",
    )


def test_tls_with_both_certificates_connects(secured, certificates, connect, topic_root):
    tls = Tls(
        ca=str(certificates("ca.pem")),
        cert=str(certificates("client.pem")),
        key=str(certificates("client.key")),
    )
    transport, recorder = connect(secured, "one", f"{topic_root}/#", host="localhost", tls=tls)
    recorder.wait_up()
    sizes = [*range(0, 50_000, 500), 1_000_000, 0, 16_384, 65_536, 1]
    for size in sizes:
        assert transport.publish(f"{topic_root}/a", b"x" * size, qos=1, retain=False)
    recorder.wait_messages(len(sizes))
    assert [len(data) for data in recorder.data] == sizes


@pytest.mark.parametrize(
    ("host", "ca"),
    [("localhost", "other.pem"), ("127.0.0.1", "ca.pem")],
    ids=["unknown authority", "another host's name"],
)
def test_a_certificate_that_is_not_trusted_is_said_to_be(secured, certificates, connect, host, ca):
    _, recorder = connect(secured, "one", host=host, tls=Tls(ca=str(certificates(ca))))
    recorder.wait(lambda r: r.downs)
    assert "certificate is not trusted" in recorder.downs[0]
    assert recorder.ups == []


def test_tls_to_a_port_without_tls_is_said_to_fail(mosquitto, connect):
    _, recorder = connect(mosquitto(), "one", tls=Tls())
    recorder.wait(lambda r: r.downs)
    assert "TLS" in recorder.downs[0]


@pytest.mark.parametrize("wrong", ["ca", "cert"])
def test_invalid_certificate_file_ends_the_start_and_is_named(connect, tmp_path, wrong, free_port):
    path = tmp_path / "nonsense.pem"
    path.write_text("nonsense")
    transport, recorder = connect(free_port, "one", tls=Tls(**{wrong: str(path)}), start=False)
    with pytest.raises(BrokerError, match=f"tls.{wrong} {path}"):
        transport.start(recorder)

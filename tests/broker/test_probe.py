"""The health probe against brokers and other services."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading

import pytest

from pdsno_cli.broker.probe import probe, probe_embedded
from pdsno_cli.model.errors import BrokerError
from tests.conftest import require
from tests.messaging.brokers import Embedded, Mosquitto

PROTOCOLS = ("3.1.1", "5")


@pytest.fixture
def guarded(tmp_path):
    """A Mosquitto that wants a password."""
    passwords = tmp_path / "passwords"
    command = [require("mosquitto_passwd"), "-b", "-c", passwords, "alice", "secret"]
    subprocess.run(command, check=True, capture_output=True)
    broker = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def answering():
    """A TCP server that answers every connection with the same bytes, None: nothing at all."""
    servers, done = [], threading.Event()

    def make(answer: bytes | None) -> int:
        server = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    if answer is None:
                        done.wait(10)
                        continue
                    peer.recv(1000)
                    peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        servers.append(server)
        return server.getsockname()[1]

    yield make
    done.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def why(host: str, port: int, **options) -> str:
    with pytest.raises(BrokerError) as caught:
        probe(host, port, **options)
    text = str(caught.value)
    assert text.startswith(f"broker {host}:{port}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_good_credentials_pass(guarded, protocol):
    probe("127.0.0.1", guarded.port, protocol=protocol, username="alice", password="secret")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bad_credentials_are_named_without_the_password(guarded, protocol):
    text = why("127.0.0.1", guarded.port, protocol=protocol, username="alice", password="guess")
    assert "refuses the credentials of user name 'alice'" in text
    assert "guess" not in text
    assert "without user name" in why("127.0.0.1", guarded.port, protocol=protocol)


def test_connection_refused(free_port):
    assert "connection refused" in why("127.0.0.1", free_port)


def test_unknown_host():
    assert "does not resolve" in why("broker.invalid", 1883)
    assert "invalid host name" in why("broker..example", 1883)


def test_no_answer(answering):
    assert "no answer" in why("127.0.0.1", answering(None), timeout=0.2)


def test_web_server_is_not_a_broker(answering):
    text = why("127.0.0.1", answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert "not an MQTT broker" in text


def test_server_that_closes_is_not_a_broker(answering):
    assert "without an answer" in why("127.0.0.1", answering(b""))


def test_another_version_of_the_protocol(answering):
    assert "does not support MQTT 5" in why(
        "127.0.0.1", answering(b"\x20\x02\x00\x01"), protocol="5"
    )


def test_a_broker_that_is_busy(answering):
    assert "reason code 0x03" in why("127.0.0.1", answering(b"\x20\x02\x00\x03"))


def test_tls_where_there_is_none(guarded):
    assert "TLS" in why("127.0.0.1", guarded.port, tls=ssl.create_default_context())


def test_tls_with_an_untrusted_certificate(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [require("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
               "-keyout", key, "-out", certificate]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    broker = Mosquitto(
        tmp_path, "allow_anonymous true", f"certfile {certificate}", f"keyfile {key}"
    )
    broker.start()
    try:
        text = why("localhost", broker.port, tls=ssl.create_default_context())
        assert "certificate is not trusted" in text
        probe("localhost", broker.port, tls=ssl.create_default_context(cafile=str(certificate)))
        assert "TLS" in why("localhost", broker.port)
    finally:
        broker.kill()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_embedded_broker_passes(protocol):
    broker = Embedded(protocol)
    broker.start()
    try:
        probe("127.0.0.1", broker.port, protocol=protocol)
    finally:
        broker.kill()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_embedded_broker_is_probed_without_a_disconnect(protocol):
    """rumqttd removes a client that sends one twice, the second time perhaps another client."""
    connack = b"\x20\x02\x00\x00" if protocol == "3.1.1" else b"\x20\x03\x00\x00\x00"
    last = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as peer:
                peer.recv(1000)
                peer.sendall(connack)
                last.append(peer.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        probe_embedded("127.0.0.1", server.getsockname()[1], protocol)
        thread.join()
    assert last == [b""]

"""Brokers to talk to, and transports that are stopped again."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.model.addresses import Address
from tests.messaging.brokers import LIMIT, Embedded, Mosquitto
from tests.messaging.recorder import Recorder

KINDS = ("mosquitto-3.1.1", "mosquitto-5", "embedded-3.1.1", "embedded-5")


@pytest.fixture(params=KINDS)
def broker(request, tmp_path):
    """A running broker of each kind, with the protocol version that the test uses."""
    kind, protocol = request.param.split("-")
    made = Mosquitto(tmp_path) if kind == "mosquitto" else Embedded(protocol)
    made.protocol = protocol
    made.start()
    yield made
    made.kill()


@pytest.fixture
def embedded():
    """The embedded broker, for MQTT 3.1.1."""
    made = Embedded("3.1.1")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def mosquitto(tmp_path):
    """Make Mosquittos with lines of configuration."""
    made = []

    def make(*lines: str) -> Mosquitto:
        made.append(Mosquitto(tmp_path, *lines))
        made[-1].start()
        return made[-1]

    yield make
    for item in made:
        item.kill()


@pytest.fixture
def connect():
    """Make and start transports; they are stopped at the end."""
    made = []

    def make(broker, client_id: str, *filters: str, listener=None, start=True, **options):
        recorder = listener or Recorder()
        settings = {
            "client_id": client_id,
            "filters": filters,
            "protocol": getattr(broker, "protocol", "3.1.1"),
            "max_payload": LIMIT,
        }
        if "addresses" not in options:
            port = broker if isinstance(broker, int) else broker.port
            settings["addresses"] = [Address(options.pop("host", "127.0.0.1"), port)]
        transport = MqttTransport(**(settings | options))
        made.append(transport)
        if start:
            transport.start(recorder)
        else:
            recorder.transport = transport
        return transport, recorder

    yield make
    for transport in made:
        transport.stop()


@pytest.fixture
def answering():
    """A TCP server that answers each connection with given bytes, and closes or holds it."""
    servers, done = [], threading.Event()

    def make(*answers: bytes, hold: bool = False) -> int:
        server = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, suppress(ConnectionError):  # the client may be gone first
                    for answer in answers:
                        peer.recv(1000)
                        peer.sendall(answer)
                    if hold:
                        done.wait(30)

        threading.Thread(target=serve, daemon=True).start()
        servers.append(server)
        return server.getsockname()[1]

    yield make
    done.set()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()

"""Brokers to talk to, and transports that are stopped again."""

from __future__ import annotations

import pytest

from pdsno_cli.messaging.mqtt import MqttTransport
from tests.messaging.brokers import LIMIT, Embedded, Mosquitto
from tests.messaging.recorder import Recorder

KINDS = ("mosquitto-3.1.1", "mosquitto-5", "embedded-3.1.1", "embedded-5")


@pytest.fixture(params=KINDS)
def broker(request, tmp_path):
    """A running broker of each kind, told which protocol the test speaks to it."""
    kind, protocol = request.param.split("-")
    made = Mosquitto(tmp_path) if kind == "mosquitto" else Embedded(protocol)
    made.protocol = protocol
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

    def make(broker, client_id: str, *filters: str, listener: Recorder | None = None, **options):
        recorder = listener or Recorder()
        settings = {
            "host": "127.0.0.1",
            "port": broker if isinstance(broker, int) else broker.port,
            "client_id": client_id,
            "filters": filters,
            "protocol": getattr(broker, "protocol", "3.1.1"),
            "max_payload": LIMIT,
        }
        transport = MqttTransport(**(settings | options))
        made.append(transport)
        transport.start(recorder)
        return transport, recorder

    yield make
    for transport in made:
        transport.stop()

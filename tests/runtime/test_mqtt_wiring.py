from __future__ import annotations

import pytest

from pdsno_cli.model.addresses import Address
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.mqtt_wiring import watching_transport
from pdsno_cli.spec.topology import Broker, Topology
from tests.messaging.brokers import Embedded, Mosquitto


@pytest.fixture(params=["mosquitto", "3.1.1 only"])
def broker(request, tmp_path):
    # The embedded broker serves the one version that it is asked for.
    made = Mosquitto(tmp_path) if request.param == "mosquitto" else Embedded("3.1.1")
    made.start()
    yield made
    made.kill()


def test_watching_transport_tells_published_flags_where_the_broker_speaks_mqtt_5(broker):
    topology = Topology(
        path="t.yaml",
        name="t",
        broker=Broker(embedded=False, addresses=(Address("127.0.0.1", broker.port),)),
        regions={},
        controllers={},
    )
    _, flags = watching_transport(topology, broker_access(topology), "watcher", ("t/#",))
    assert flags is isinstance(broker, Mosquitto)

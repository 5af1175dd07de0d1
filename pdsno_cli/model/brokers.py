"""The registry of MQTT brokers: what a topology has to know of the one that it names.

Facts only: rules and ``pdsno capacity`` derive from here. Each limit is the broker's default, which
its own configuration may change; the topology file can say so. Mosquitto's are those of
mosquitto.conf(5) of 2.0, VerneMQ's those of its MQTT options and its vmq_server.schema (client id), HiveMQ's
those of its manual; the queue of EMQX is what others say of its max_mqueue_len. Client ids of EMQX and HiveMQ
may have 65,535 bytes, which is MQTT's own limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# MQTT 3.1.1 section 3.1.3.1: a broker must accept client ids of up to so many bytes, and may accept
# longer ones.
SURE_CLIENT_ID = 23

WILDCARD = "a wildcard"
SEPARATOR = "a level separator"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """One broker that ``broker.kind`` can name.

    ``queue`` are the QoS 1 messages that it queues for a client that is away, ``client_id`` the
    longest client id in bytes, None for no limit that matters here. ``special`` are characters
    that MQTT allows in a topic level, with their meaning to this broker.
    """

    name: str
    title: str
    queue: int | None = None
    client_id: int | None = None
    special: Mapping[str, str] = field(default_factory=dict)


BROKERS = (
    BrokerFacts(
        name="mosquitto", title="Mosquitto", queue=1000
    ),  # max_queued_messages; 100 before 2.0
    BrokerFacts(name="emqx", title="EMQX", queue=1000),  # mqtt.max_mqueue_len
    BrokerFacts(name="hivemq", title="HiveMQ", queue=1000),  # queued-messages.max-queue-size
    BrokerFacts(
        name="vernemq",
        title="VerneMQ",
        queue=1000,  # max_offline_messages
        client_id=100,  # max_client_id_size
    ),
    BrokerFacts(
        name="rabbitmq",
        title="RabbitMQ",
        # Topics become AMQP routing keys, and back: '/' is '.', '+' is '*'.
        special={"*": WILDCARD, ".": SEPARATOR},
    ),
    BrokerFacts(
        name="nats",
        title="NATS",
        # Topics become subjects. Servers before 2.10 refuse '.', later ones escape it.
        special={
            "*": WILDCARD,
            ">": WILDCARD,
            ".": SEPARATOR,
            " ": "the end of a subject",
        },
    ),
)
FACTS = {facts.name: facts for facts in BROKERS}

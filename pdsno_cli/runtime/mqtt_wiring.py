"""Picks the MQTT transport for a topology's broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import qos
from pdsno_cli.model.roles import Role
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.spec.topology import Tls, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """Where the broker is and how to log in, every secret read."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None


def broker_access(topology: Topology, *, embedded_port: int = 0) -> BrokerAccess:
    """Return the access that a topology declares; OperationError when a secret is missing.

    ``embedded_port`` is where the embedded broker listens.
    """
    broker = topology.broker
    if broker.embedded:
        return BrokerAccess(host="127.0.0.1", port=embedded_port)

    def read(text: str | None) -> str | None:
        return None if text is None else secrets.resolve(text, base=topology.folder)

    return BrokerAccess(
        host=broker.host,
        port=broker.port,
        username=read(broker.username),
        password=read(broker.password),
        tls=broker.tls,
    )


def mqtt_transport(
    topology: Topology, access: BrokerAccess, controller_id: str, filters: tuple[str, ...]
) -> Transport:
    """Return the MQTT transport of one controller.

    Its client id holds the topic root, so that two topologies may share a broker. Parents ask
    for a persistent session: what their children report while they are away is kept for them.
    """
    from pdsno_cli.messaging.mqtt import MqttTransport

    broker = topology.broker
    return MqttTransport(
        host=access.host,
        port=access.port,
        client_id=f"{topology.topics.root}-{controller_id}",
        filters=filters,
        qos=qos(topology),
        protocol=broker.protocol,
        keepalive=broker.keepalive,
        username=access.username,
        password=access.password,
        tls=access.tls,
        max_payload=broker.max_payload,
        persistent=topology.controllers[controller_id].role is not Role.LOCAL,
    )

"""Picks the MQTT transport for a topology's broker."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from pdsno_cli.delivery.subscriptions import qos
from pdsno_cli.model.errors import BrokerError
from pdsno_cli.model.roles import Role
from pdsno_cli.runtime.claim import claim
from pdsno_cli.runtime.transport_wiring import TransportFactory, Wired, Wiring

if TYPE_CHECKING:
    from pdsno_cli.messaging.client_id_owner import ClientIdClaim
    from pdsno_cli.messaging.mqtt import MqttTransport
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology


def mqtt_transport(
    topology: Topology,
    access: BrokerAccess,
    name: str,
    filters: tuple[str, ...],
    *,
    source: str | None = None,
    claim: ClientIdClaim | None = None,
) -> MqttTransport:
    """Return the MQTT transport of one controller, or of an operator under a name of its own.

    Parents request a persistent session: the broker keeps what their children report while they are
    disconnected. ``source`` is the IPv4 address that connections come from, ``claim`` identifies
    this process among those that run as one controller.
    """
    spec = topology.controllers.get(name)
    return _transport(
        topology,
        access,
        name,
        filters,
        qos=qos(topology),
        persistent=spec is not None and spec.role is not Role.LOCAL,
        claim=claim,
        source=source,
    )


def probe_transport(
    topology: Topology, access: BrokerAccess, filters: tuple[str, ...], *, qos: int = 1
) -> Transport:
    """Return the transport of a client that connects for a moment, with a random client id."""
    return _transport(topology, access, f"probe-{os.urandom(6).hex()}", filters, qos=qos)


def watching_transport(
    topology: Topology, access: BrokerAccess, name: str, filters: tuple[str, ...]
) -> tuple[Transport, bool]:
    """Return a transport that receives each message at the QoS that it was published at.

    The second value is True if the retain flag of the publisher is received, too, which takes MQTT 5:
    that is tried on a declared broker even where the controllers use 3.1.1.
    """
    protocol = _newest_protocol(topology, access)
    made = _transport(topology, access, name, filters, qos=2, protocol=protocol, as_published=True)
    return made, protocol == "5"


def _newest_protocol(topology: Topology, access: BrokerAccess) -> Literal["3.1.1", "5"]:
    from pdsno_cli.broker.probe import probe
    from pdsno_cli.messaging.tls import context

    if topology.broker.embedded:
        return topology.broker.protocol
    for address in access.addresses:
        with suppress(BrokerError):
            probe(
                *address,
                protocol="5",
                username=access.username,
                password=access.password,
                tls=None if access.tls is None else context(access.tls),
            )
            return "5"
    return topology.broker.protocol


def _transport(
    topology: Topology,
    access: BrokerAccess,
    name: str,
    filters: tuple[str, ...],
    *,
    qos: int,
    protocol: Literal["3.1.1", "5"] | None = None,
    persistent: bool = False,
    as_published: bool = False,
    claim: ClientIdClaim | None = None,
    source: str | None = None,
) -> MqttTransport:
    """Return a transport; its client id holds the topic root, so that topologies share brokers."""
    from pdsno_cli.messaging.mqtt import MqttTransport

    broker = topology.broker
    return MqttTransport(
        addresses=access.addresses,
        client_id=f"{topology.topics.root}-{name}",
        filters=filters,
        qos=qos,
        protocol=protocol or broker.protocol,
        keepalive=broker.keepalive,
        username=access.username,
        password=access.password,
        tls=access.tls,
        max_payload=broker.max_payload,
        persistent=persistent,
        as_published=as_published,
        claim=claim,
        source=source,
    )


class MqttFactory:
    """Implements ``TransportFactory``."""

    def preload(self) -> None:
        """Import paho."""
        from pdsno_cli.messaging import mqtt

        del mqtt

    def build(self, wiring: Wiring) -> Wired | None:
        """Return a client of the broker; None without access to one."""
        if wiring.access is None:
            return None
        topology, name = wiring.topology, wiring.controller_id
        return Wired(
            transport=mqtt_transport(
                topology,
                wiring.access,
                name,
                wiring.filters,
                source=wiring.source,
                claim=claim(topology, wiring.codec, name, wiring.epoch),
            )
        )


TRANSPORT: TransportFactory = MqttFactory()

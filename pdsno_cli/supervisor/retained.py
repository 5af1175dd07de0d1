"""Deletes retained messages of controllers that are gone: a broker keeps them for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import NullListener, Publication
from pdsno_cli.runtime.mqtt_wiring import probe_transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.messaging.transport import Loss
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_ANSWER = 3.0  # seconds for the broker to accept the client


def empty_retained(topics: Iterable[str]) -> list[Publication]:
    """Return the messages that delete what is retained on topics (MQTT 5.0 section 3.3.1.3)."""
    return [Publication(topic=topic, data=b"", qos=1, retain=True) for topic in topics]


def clear_retained(topology: Topology, access: BrokerAccess, topics: Iterable[str]) -> bool:
    """Delete what a broker retains on topics; return False if it does not let this client in."""
    *first, last = empty_retained(topics)
    transport = probe_transport(topology, access, (last.topic,))
    connection = _Connection()
    transport.start(connection)
    connection.answered.wait(_ANSWER)
    for item in first if connection.up else ():
        transport.publish(item.topic, item.data, qos=item.qos, retain=item.retain)
    transport.stop(last if connection.up else None)  # waits for its PUBACK, the others came before
    return connection.up


class _Connection(NullListener):
    """Waits for the connection; the transport's thread calls the ``on_`` methods."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.up = False

    def on_up(self, connection: int, session_present: bool) -> None:
        self.up = True
        self.answered.set()

    def on_down(self, loss: Loss) -> None:
        self.answered.set()

"""Reads what a broker publishes about itself below ``$SYS``, as Mosquitto does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError
from pdsno_cli.model.printable import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_PREFIX = "$SYS/broker/"
_SETTLED = 0.3  # seconds for the rest of what is retained, once the first has arrived
# The measures, in the order of the output: name, topic below ``$SYS/broker``.
MEASURES = (
    ("version", "version"),
    ("uptime", "uptime"),
    ("clients connected", "clients/connected"),
    ("clients known", "clients/total"),
    ("subscriptions", "subscriptions/count"),
    ("messages received", "publish/messages/received"),
    ("messages sent", "publish/messages/sent"),
    ("messages dropped", "publish/messages/dropped"),
    ("received per minute", "load/publish/received/1min"),
    ("sent per minute", "load/publish/sent/1min"),
    ("dropped per minute", "load/publish/dropped/1min"),
    ("retained messages", "retained messages/count"),
    ("stored messages", "store/messages/count"),
    ("stored bytes", "store/messages/bytes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatistics:
    """The measures of a broker, by name; ``missing`` is why there are none."""

    measures: Mapping[str, str]
    missing: str | None = None


def broker_statistics(topology: Topology, access: BrokerAccess) -> BrokerStatistics:
    """Return what the broker publishes about itself; raises BrokerError if it cannot be reached."""
    from pdsno_cli.client.doctor.exchange import Exchange

    if topology.broker.embedded:
        return BrokerStatistics(measures={}, missing="the embedded broker (rumqttd) publishes none")
    with Exchange(topology, access, (f"{_PREFIX}#",)) as exchange:
        if exchange.trouble is not None:
            raise BrokerError(exchange.trouble)
        if exchange.wait(lambda: bool(exchange.arrivals)):
            exchange.wait(lambda: None, _SETTLED)
        found = {topic: data for topic, data, _ in exchange.arrivals}
    if not found:
        missing = "the broker publishes no $SYS topics, or its access list denies them"
        return BrokerStatistics(measures={}, missing=missing)
    return BrokerStatistics(measures=measures(found))


def measures(found: Mapping[str, bytes]) -> dict[str, str]:
    """Return the measures of retained ``$SYS`` messages, those that the broker has."""
    return {
        name: shown(found[_PREFIX + topic].decode(errors="replace"))
        for name, topic in MEASURES
        if _PREFIX + topic in found
    }

"""Whether the broker is up, and carries a message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.broker import check_connection
from pdsno_cli.client.doctor.exchange import Exchange
from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.client.doctor.messages import round_trip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.checklist.plane import Plane


def check_broker(plane: Plane) -> Iterator[Finding]:
    """Connect and log in."""
    yield from check_connection(plane)


def check_round_trip(plane: Plane) -> Iterator[Finding]:
    """Publish to oneself."""
    access, topology = plane.access, plane.topology
    if access is None:
        yield Finding(check="round trip", verdict="skip", text=plane.no_broker)
        return
    topic = f"{topology.topics.root}/doctor/{os.urandom(6).hex()}/plain"
    with Exchange(topology, access, (topic,)) as exchange:
        if exchange.trouble is None:
            yield round_trip(topology, exchange, topic)
        else:
            yield Finding(check="round trip", verdict="fail", text=exchange.trouble)

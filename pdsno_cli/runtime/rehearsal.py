"""Does once, before forking, what every child does first.

What libraries build at first use (compiled statements, decoders, patterns) is then shared by all
children instead of being built, and held in memory, by each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import filters
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.messages import Status
from pdsno_cli.nib.preload import preload
from pdsno_cli.runtime.authority import entitled

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology


def rehearse(topology: Topology) -> None:
    """Exercise store and codec; the store is one in memory."""
    preload()
    topics = topology.topics
    codec = Codec(bytes(32), topics, topology.broker.max_payload, entitled(topology))
    for spec in topology.controllers.values():
        filters(topology, spec)
        topic = topics.status(spec.controller_id)
        status = Status(
            state="birth", role=spec.role.value, region=spec.region, connection=1, heartbeat=1.0
        )
        data = codec.seal(
            topic=topic,
            sender_id=spec.controller_id,
            message_type="status",
            payload=status,
            epoch=1,
            seq=1,
        )
        codec.open(topic, data)
        break

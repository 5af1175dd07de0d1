"""Does once, before forking, what every child does first.

What libraries build at first use (compiled statements, decoders, patterns) is then shared by all
children instead of being built, and held in memory, by each.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import filters
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.messages import Event, LocalCycle, PolicyDocument, Status
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.authority import entitled

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology


def rehearse(topology: Topology) -> None:
    """Exercise store and codec, on a store in memory."""
    store = Store.open(":memory:")
    try:
        _use(store)
    finally:
        store.close()
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


def _use(store: Store) -> None:
    now = time.time()
    device = Device(device_id="ip:127.0.0.1", addresses=("127.0.0.1",), protocols=("icmp",))
    event = Event(event="policy_applied", severity="info", subject="-", detail={"version": 1})
    store.begin_epoch()
    with store.transaction() as tx:
        tx.mark(sender="-", stream="-", epoch=1, seq=1)
        tx.put_policy(PolicyDocument(scope="global", version=1), at=now)
        tx.put_known("-", "-", [Known(device=device)], at=now)
        tx.put_cycle(LocalCycle(local_id="-", epoch=1, cycle=1, active=1), region="-", at=now)
        tx.append_event(event, sender="-", at=now)
        tx.put_controller(
            controller_id="-",
            role="local",
            region=None,
            state="online",
            epoch=1,
            connection=1,
            at=now,
        )
        tx.apply_changes(
            local_id="-", region="-", new=[device], updated=[], inactive=[], snapshot=True, at=now
        )
    store.known()
    store.policy("global")
    store.cycles()
    store.count_active()

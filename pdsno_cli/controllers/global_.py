"""The global controller: publishes global policy and keeps the view of the whole network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.ledger import Ledger
from pdsno_cli.controllers.roster import Roster
from pdsno_cli.model.messages import Command, Envelope, Event, Status, Summary
from pdsno_cli.model.topics import GLOBAL, SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context


class GlobalController:
    """The global controller; the network-wide view and the record of events are in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._regionals = Roster(context)
        self._ledger = Ledger(context)
        self._roamers: frozenset[str] = frozenset()

    def start(self) -> None:
        """Take up the watch over the regions; forget those that are no longer declared."""
        store = self._context.store
        with store.transaction() as tx:
            for region in store.regions() - self._context.topology.regions.keys():
                tx.forget_region(region)
        self._regionals.start()

    def connected(self) -> None:
        """Publish the global policy."""
        self._regionals.connected()
        topology, store = self._context.topology, self._context.store
        document = policy.next_document(store.policy(GLOBAL), policy.global_document(topology, 0))
        with store.transaction() as tx:
            tx.put_policy(document, at=time.time())
        self._context.publisher.publish(topology.topics.policy(GLOBAL), document)

    def disconnected(self) -> None:
        """Stop judging others by their silence."""
        self._regionals.disconnected()

    def base(self, envelope: Envelope, command: Command) -> None:
        """Go on with a sender's stream after a number."""
        self._ledger.base(envelope, command)

    def tell_all(self) -> None:
        """Nobody receives from the top but those who read retained policy."""

    def stop(self) -> None:
        """Nothing runs beside the owner's thread."""

    def receive(self, envelope: Envelope) -> None:
        """Apply a summary, record an event, or take in a status."""
        payload = envelope.payload
        if isinstance(payload, Summary):
            self._apply(envelope, payload)
        elif isinstance(payload, Event):
            self._record(envelope, payload)
        elif isinstance(payload, Status):
            self._regionals.hear(envelope, payload)

    def _record(self, envelope: Envelope, event: Event) -> None:
        with self._context.store.transaction() as tx:
            if not self._ledger.take(tx, envelope, whole=False, first=True):
                return
            tx.append_event(event, sender=envelope.sender_id, at=time.time())
        self._ledger.committed(envelope)

    def _apply(self, envelope: Envelope, summary: Summary) -> None:
        with self._context.store.transaction() as tx:
            if not self._ledger.take(tx, envelope, whole=summary.snapshot, first=False):
                return
            tx.apply_summary(summary, at=time.time())
            cycles = () if summary.more else summary.locals
            for cycle in cycles:
                tx.put_cycle(cycle, region=summary.region, at=time.time())
        self._ledger.committed(envelope, *cycles)
        if summary.new or summary.updated:
            self._notice_roamers()

    def _notice_roamers(self) -> None:
        """Announce each MAC that turns up in more than one region, once."""
        found = self._context.store.macs_in_several_regions()
        for mac in sorted(found.keys() - self._roamers):
            event = Event(
                event="mac_in_two_regions",
                severity="warning",
                subject=mac,
                detail={"regions": sorted(found[mac])},
            )
            with self._context.publisher.unit() as unit:
                unit.stage(self._context.topology.topics.events(SYSTEM), event)
        self._roamers = frozenset(found)

"""The regional controller: keeps its region's inventory, publishes policy, sends summaries up."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.digest import Digest
from pdsno_cli.controllers.ledger import Ledger
from pdsno_cli.controllers.parts import parts
from pdsno_cli.controllers.roster import Roster
from pdsno_cli.model.messages import (
    Command,
    DiscoveryReport,
    Envelope,
    LocalCycle,
    PolicyDocument,
    Status,
)
from pdsno_cli.model.refusals import Reason, RefusedError

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Cancellable, Context

log = logging.getLogger(__name__)

SUMMARY_DELAY = 0.1  # seconds in which the reports of several locals become one summary


class RegionalController:
    """One regional controller; the region's inventory is in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        region = context.spec.region
        assert region is not None  # lint refuses a regional without one
        self._region = region
        self._locals = Roster(context)
        self._summary_topic = context.topology.topics.summary(region, context.spec.controller_id)
        self._ledger = Ledger(context)
        self._digest = Digest(region)
        self._due: Cancellable | None = None
        # What was not yet summed up at the last stop is not known: the first summary says all.
        self._snapshot = True

    def start(self) -> None:
        """Take up the watch over the region; forget locals that are no longer declared."""
        topics, declared = self._context.topology.topics, self._context.topology.controllers
        store = self._context.store
        with store.transaction() as tx:
            for local_id in {cycle.local_id for cycle in store.cycles()} - declared.keys():
                tx.forget_local(local_id, topics.stream(topics.discovery(self._region, local_id)))
        self._locals.start()

    def connected(self) -> None:
        """Publish the region's policy."""
        self._locals.connected()
        self._publish_policy()
        self._summarise_soon()

    def disconnected(self) -> None:
        """Stop judging others by their silence."""
        self._locals.disconnected()

    def stop(self) -> None:
        """Nothing runs beside the owner's thread."""

    def base(self, envelope: Envelope, command: Command) -> None:
        """Go on with a sender's stream after a number."""
        self._ledger.base(envelope, command)

    def tell_all(self) -> None:
        """Send the whole region up."""
        self._snapshot = True
        self._summarise_soon()

    def receive(self, envelope: Envelope) -> None:
        """Apply a report, keep the global policy, or take in a status."""
        payload = envelope.payload
        if isinstance(payload, DiscoveryReport):
            self._apply(envelope, payload)
        elif isinstance(payload, PolicyDocument):
            with self._context.store.transaction() as tx:
                tx.put_policy(payload, at=time.time())
        elif isinstance(payload, Status):
            self._locals.hear(envelope, payload)

    def _apply(self, envelope: Envelope, report: DiscoveryReport) -> None:
        """Record the report's number and apply it, in one transaction.

        RefusedError when it is of another region: a broker may still hold a subscription of an
        earlier topology for this controller.
        """
        local_id, store = envelope.sender_id, self._context.store
        topics = self._context.topology.topics
        if envelope.stream != topics.stream(topics.discovery(self._region, local_id)):
            raise RefusedError(Reason.WRONG_TOPIC, f"{envelope.stream} is not of {self._region}")
        cycle = LocalCycle(
            local_id=local_id, epoch=envelope.epoch, cycle=report.cycle, active=report.active
        )
        with store.transaction() as tx:
            if not self._ledger.take(tx, envelope, whole=report.snapshot, first=False):
                return
            lost = tx.apply_changes(
                local_id=local_id,
                region=self._region,
                new=report.new,
                updated=report.updated,
                inactive=report.inactive,
                snapshot=report.snapshot,
                at=time.time(),
            )
            if not report.more:
                tx.put_cycle(cycle, region=self._region, at=time.time())
        self._digest.add(cycle, report, lost)
        self._ledger.committed(envelope, *(() if report.more else (cycle,)))
        self._summarise_soon()

    def _publish_policy(self) -> None:
        """Publish the declared policy, under a new version only where it says something new."""
        store = self._context.store
        document = policy.next_document(
            store.policy(self._region),
            policy.regional_document(self._context.topology, self._region, 0),
        )
        with store.transaction() as tx:
            tx.put_policy(document, at=time.time())
        self._context.publisher.publish(
            self._context.topology.topics.policy(self._region), document
        )

    def _summarise_soon(self) -> None:
        if self._due is None:
            self._due = self._context.scheduler.after(SUMMARY_DELAY, self._summarise)

    def _summarise(self) -> None:
        self._due = None
        if self._snapshot:
            self._digest.replace(
                self._context.store.cycles(), self._context.store.devices(active=True)
            )
        if not self._snapshot and self._digest.empty:
            return
        summary = self._digest.take(
            snapshot=self._snapshot, active=self._context.store.count_active()
        )
        self._snapshot = False
        with self._context.publisher.unit() as unit:
            for part in parts(summary, self._context.topology.broker.max_payload):
                unit.stage(self._summary_topic, part)

"""The regional controller: keeps its region's inventory, publishes policy, sends summaries up."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.digest import Digest
from pdsno_cli.controllers.ledger import Ledger
from pdsno_cli.controllers.parts import parts
from pdsno_cli.controllers.policies import Policies
from pdsno_cli.controllers.retained import OwnRetained
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
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Cancellable, Context
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)

SUMMARY_DELAY = 0.1  # seconds in which the reports of several locals become one summary
SUMMARY_SHARE = 40  # times the processor time that sending one took pass before the next is sent


class RegionalController:
    """One regional controller; the region's inventory is in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        region = context.spec.region
        assert region is not None  # lint refuses a regional without one
        self._region = region
        topics = context.topology.topics
        self._streams = topics.stream(topics.discovery(region, ""))
        self._locals = Roster(context, Role.LOCAL, self._forget)
        self._summary_topic = context.topology.topics.summary(region, context.spec.controller_id)
        self.ledger = Ledger(context, self._effect)
        self._policies = Policies(context)
        self.retained = OwnRetained(context, topics.policy(region), self._publish_policy)
        self._digest = Digest(region)
        self._digested: Transaction | None = None
        self._due: Cancellable | None = None
        self._pause = SUMMARY_DELAY
        # What was not yet summed up at the last stop is not known: the first summary says all.
        self._snapshot = True

    def start(self) -> None:
        """Take up the watch over the region; forget locals that are of another one, or gone."""
        self._policies.recall(GLOBAL)
        declared = self._context.topology.of_role(Role.LOCAL, self._region)
        known = self._context.store.homes().keys()
        self._locals.start(known - {item.controller_id for item in declared})
        self.ledger.start()

    def connected(self) -> None:
        """Publish the region's policy."""
        self._locals.connected()
        self._publish_policy()
        self._summarise_soon()

    def disconnected(self) -> None:
        """Stop judging others by their silence."""
        self._locals.disconnected()

    def stop(self) -> None:
        """Keep what was not yet summed up as a summary: it is sent now, or at the next start."""
        self._send_summary()

    def obey(self, envelope: Envelope, command: Command) -> None:
        """Publish the region's policy as it is ordered."""
        self._policies.order(envelope, command, self._declared())

    def tell_all(self) -> None:
        """Send the whole region up."""
        self._snapshot = True
        self._summarise_soon()

    def receive(self, envelope: Envelope) -> None:
        """Apply a report, keep the global policy, or take in a status."""
        payload = envelope.payload
        if isinstance(payload, DiscoveryReport):
            self._take(envelope, payload)
        elif isinstance(payload, PolicyDocument) and payload.scope == self._region:
            self.retained.seen(self._policies.echo(envelope, payload))
        elif isinstance(payload, PolicyDocument):
            self._policies.take(envelope, payload)
        elif isinstance(payload, Status):
            self._locals.hear(envelope, payload)
            if payload.role == Role.LOCAL.value and payload.region != self._region:
                self._let_go(envelope)

    def _take(self, envelope: Envelope, report: DiscoveryReport) -> None:
        """Record the report's number and apply it, in one transaction.

        RefusedError when it is of another region: a broker may still hold a subscription of an
        earlier topology for this controller.
        """
        local_id = envelope.sender_id
        if envelope.stream != self._streams + local_id:
            raise RefusedError(Reason.WRONG_TOPIC, f"{envelope.stream} is not of {self._region}")
        self._locals.meet(local_id)
        with self._context.store.transaction() as tx:
            if not self.ledger.take(tx, envelope, whole=report.snapshot, first=False):
                return
            whole = self.ledger.assemble(tx, envelope, report)
            if whole is not None:
                self._apply(tx, envelope, whole)

    def _let_go(self, status: Envelope) -> None:
        """Hold nothing more of a local controller that says that it is of another region now."""
        local_id = status.sender_id
        home = self._context.store.homes().get(local_id)
        if home is not None and home[1] < status.epoch:
            log.info("%s is of another region now", local_id)
            with self._context.store.transaction() as tx:
                tx.forget_local(local_id, self._streams + local_id)
            self.tell_all()

    def _effect(self, tx: Transaction, envelope: Envelope) -> None:
        assert isinstance(envelope.payload, DiscoveryReport)  # it receives no other stream
        self._apply(tx, envelope, envelope.payload)

    def _apply(self, tx: Transaction, envelope: Envelope, report: DiscoveryReport) -> None:
        """Apply a report in ``tx``."""
        local_id, now = envelope.sender_id, time.time()
        cycle = LocalCycle(
            local_id=local_id,
            epoch=envelope.epoch,
            cycle=report.cycle,
            active=report.active,
            seen_at=None if report.silent is None else report.started_at,
            silent=report.silent or (),
        )
        if report.silent or report.inactive:
            tx.see_last(local_id, (*cycle.silent, *report.inactive))
        lost = tx.apply_changes(
            local_id=local_id,
            region=self._region,
            new=report.new,
            updated=report.updated,
            inactive=report.inactive,
            snapshot=report.snapshot,
            at=now,
        )
        tx.put_cycle(cycle, region=self._region, at=now)
        self.ledger.committed(tx)
        self._digest.add(local_id, report, lost, tx)
        if self._digested is not tx:
            self._digested = tx
            tx.after(partial(self._committed, tx))
            # Undone, it leaves in the digest what did not happen: so all is told anew.
            tx.otherwise(self.tell_all)

    def _committed(self, tx: Transaction) -> None:
        self._digest.absorb(tx)
        self._summarise_soon()

    def _forget(self, tx: Transaction, local_id: str) -> None:
        """Hold nothing of a local that has left the region."""
        tx.forget_local(local_id, self._streams + local_id)

    def _publish_policy(self) -> None:
        self._policies.publish(self._declared())

    def _declared(self) -> PolicyDocument:
        return policy.regional_document(self._context.topology, self._region, 0)

    def _summarise_soon(self) -> None:
        if self._due is None:
            self._due = self._context.scheduler.after(self._pause, self._summarise)

    def _summarise(self) -> None:
        """Send up what changed; the more work that is, the more is gathered for the next time."""
        began = time.thread_time()  # a busy machine, on which all takes long, makes no more of it
        self._send_summary()
        self._pause = max(SUMMARY_DELAY, SUMMARY_SHARE * (time.thread_time() - began))
        self._due = None  # only now: what was committed meanwhile waits for as long
        if self._snapshot or not self._digest.empty:
            self._summarise_soon()

    def _send_summary(self) -> None:
        full = self._context.publisher.full(self._summary_topic)
        self._snapshot = self._snapshot or full
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
            if full:
                unit.coalesce(self._summary_topic)
            for part in parts(summary, self._context.topology.broker.max_payload):
                unit.stage(self._summary_topic, part)

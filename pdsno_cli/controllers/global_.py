"""The global controller: publishes global policy and keeps the view of the whole network."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.homes import Home, moved, timely
from pdsno_cli.controllers.ledger import Ledger
from pdsno_cli.controllers.policies import Policies
from pdsno_cli.controllers.retained import OwnRetained
from pdsno_cli.controllers.roster import Roster
from pdsno_cli.model.messages import Command, Envelope, Event, PolicyDocument, Status, Summary
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL, SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)

LOOK_DELAY = 0.2  # seconds in which the summaries of several regions are looked through at once


class GlobalController:
    """The global controller; the network-wide view and the record of events are in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._regionals = Roster(context, Role.REGIONAL, lambda _tx, _name: None)
        self.ledger = Ledger(context, self._effect)
        self._policies = Policies(context)
        topic = context.topology.topics.policy(GLOBAL)
        self.retained = OwnRetained(context, topic, self._publish_policy)
        self._looking = False
        self._roamers: frozenset[str] = frozenset()
        self._homes: dict[str, Home] = {}

    def start(self) -> None:
        """Take up the watch over the regions; forget those that are no longer declared.

        A local controller that is declared in another region than before has moved there.
        """
        store, topology = self._context.store, self._context.topology
        known = store.homes()
        gone = {name for name, (region, _) in known.items() if region not in topology.regions}
        with store.transaction() as tx:
            for region in store.regions() - topology.regions.keys():
                tx.forget_region(region)
            for local_id, region in store.places_of_locals():
                spec = topology.controllers.get(local_id)
                home = spec.region if spec is not None else known.get(local_id, (None,))[0]
                if home is not None and home != region:
                    tx.move_local(local_id, home)
        self._homes = {name: Home(*home) for name, home in store.homes().items()}
        self._regionals.start(gone - topology.controllers.keys())
        self.ledger.start()

    def connected(self) -> None:
        """Publish the global policy."""
        self._regionals.connected()
        self._publish_policy()

    def disconnected(self) -> None:
        """Stop judging others by their silence."""
        self._regionals.disconnected()

    def obey(self, envelope: Envelope, command: Command) -> None:
        """Publish the global policy as it is ordered."""
        declared = policy.global_document(self._context.topology, 0)
        self._policies.order(envelope, command, declared)

    def tell_all(self) -> None:
        """Nobody receives from the top but those who read retained policy."""

    def stop(self) -> None:
        """Nothing runs beside the owner's thread."""

    def receive(self, envelope: Envelope) -> None:
        """Apply a summary, record an event, look at its own policy, or take in a status."""
        payload = envelope.payload
        if isinstance(payload, Summary):
            self._take(envelope, payload)
        elif isinstance(payload, Event):
            self._apply_once(envelope)
        elif isinstance(payload, PolicyDocument):
            self.retained.seen(self._policies.echo(envelope, payload))
        elif isinstance(payload, Status):
            self._regionals.hear(envelope, payload)

    def _publish_policy(self) -> None:
        self._policies.publish(policy.global_document(self._context.topology, 0))

    def _apply_once(self, envelope: Envelope) -> None:
        """Commit and apply a message that depends on none before it, unless it came before."""
        with self._context.store.transaction() as tx:
            if self.ledger.take(tx, envelope, whole=False, first=True):
                self._effect(tx, envelope)

    def _effect(self, tx: Transaction, envelope: Envelope) -> None:
        """Apply a summary or record an event in ``tx``."""
        if isinstance(envelope.payload, Summary):
            self._apply(tx, envelope.payload)
        elif isinstance(envelope.payload, Event):
            self._record(tx, envelope.sender_id, envelope.payload)

    def _record(self, tx: Transaction, sender: str, event: Event) -> None:
        now = time.time()
        tx.append_event(event, sender=sender, at=now)
        if event.event == "policy_applied":
            scope, version = event.detail.get("scope"), event.detail.get("version")
            if isinstance(scope, str) and isinstance(version, int):
                tx.put_applied(sender, scope, version, at=now)

    def _take(self, envelope: Envelope, summary: Summary) -> None:
        with self._context.store.transaction() as tx:
            if not self.ledger.take(tx, envelope, whole=summary.snapshot, first=False):
                return
            whole = self.ledger.assemble(tx, envelope, summary)
            if whole is not None:
                self._apply(tx, whole)

    def _apply(self, tx: Transaction, summary: Summary) -> None:
        """Apply a summary in ``tx``: what it says of the local controllers of its region."""
        now = time.time()
        coming = moved(self._homes, summary)
        summary = timely(self._homes, summary, coming)
        for cycle in coming:
            log.info("%s is in region %s now", cycle.local_id, summary.region)
            tx.move_local(cycle.local_id, summary.region)
        tx.after(partial(self._settle_homes, summary))
        unseen = {cycle.local_id: [*cycle.silent] for cycle in summary.locals if cycle.silent}
        for loss in summary.inactive:
            unseen.setdefault(loss.local_id, []).append(loss.device_id)
        for local_id, device_ids in unseen.items():
            tx.see_last(local_id, device_ids)
        tx.apply_summary(summary, at=now)
        for cycle in summary.locals:
            tx.put_cycle(cycle, region=summary.region, at=now)
        self.ledger.committed(tx)
        if summary.new or summary.updated:
            tx.after(self._look_soon)

    def _settle_homes(self, summary: Summary) -> None:
        for cycle in summary.locals:
            self._homes[cycle.local_id] = Home(summary.region, cycle.epoch)

    def _look_soon(self) -> None:
        if not self._looking:
            self._looking = True
            self._context.scheduler.after(LOOK_DELAY, self._notice_roamers)

    def _notice_roamers(self) -> None:
        """Announce each MAC that turns up in more than one region, once."""
        self._looking = False
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

"""The global controller: publishes global policy and keeps the view of the whole network."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.homes import Home, moved, timely, without
from pdsno_cli.controllers.liveness_monitor import LivenessMonitor
from pdsno_cli.controllers.policies import Policies
from pdsno_cli.controllers.retained import RetainedPolicy
from pdsno_cli.delivery.endpoint import announce
from pdsno_cli.model.messages import Command, Envelope, Event, PolicyDocument, Status, Summary
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL, SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.nib.store import Transaction
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)

SEARCH_DELAY = 0.2  # seconds in which the summaries of several regions share one search


class GlobalController:
    """The global controller; the network-wide view and the record of events are in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._regionals = LivenessMonitor(context, Role.REGIONAL, lambda _tx, _name: None)
        self._policies = Policies(context)
        topic = context.topology.topics.policy(GLOBAL)
        self._retained = RetainedPolicy(context, topic, self._publish_policy)
        self._search_due = False
        self._roamers: frozenset[str] = frozenset()
        self._homes: dict[str, Home] = {}
        self._removed: frozenset[str] = frozenset()  # summaries may still name them

    def start(self) -> None:
        """Resume watching the regions; forget those that are no longer declared.

        A local controller that is declared in another region than before has moved there.
        """
        gone = self._match_declaration()
        self._regionals.start(gone - self._context.topology.controllers.keys())

    def _match_declaration(self) -> set[str]:
        """Forget regions that are not declared, move locals to where they are declared.

        Return the local controllers of such regions.
        """
        store, topology = self._context.store, self._context.topology
        known = store.homes()
        gone = {name for name, (region, _) in known.items() if region not in topology.regions}
        with store.transaction() as tx:
            for region in store.regions() - topology.regions.keys():
                tx.forget_region(region)
            for local_id, region in store.regions_of_locals():
                spec = topology.controllers.get(local_id)
                home = spec.region if spec is not None else known.get(local_id, (None,))[0]
                if home is not None and home != region:
                    tx.move_local(local_id, home)
        self._homes = {name: Home(*home) for name, home in store.homes().items()}
        return gone

    def connected(self) -> None:
        """Publish the global policy."""
        self._regionals.connected()
        self._publish_policy()

    def disconnected(self) -> None:
        """Suspend liveness checks."""
        self._regionals.disconnected()

    def reconfigured(self, before: Topology, removed: frozenset[str]) -> None:
        """Watch the regions that have come, forget who has gone, publish a changed policy."""
        topology = self._context.topology
        was = {item.controller_id for item in before.of_role(Role.REGIONAL)}
        now = {item.controller_id for item in topology.of_role(Role.REGIONAL)}
        self._removed = (self._removed | removed) - topology.controllers.keys()
        self._policies.reconfigured()
        self._match_declaration()
        with self._context.store.transaction() as tx:
            for name in self._removed:
                tx.drop_local(name)
                tx.forget_sender(name)
        for name in self._removed:
            self._homes.pop(name, None)
        self._regionals.reconfigured(now - was, (was | removed) - topology.controllers.keys(), ())
        if policy.global_document(before, 0) != policy.global_document(topology, 0):
            self._publish_policy()

    def execute(self, order: Envelope, command: Command) -> None:
        """Publish the global policy as ordered."""
        declared = policy.global_document(self._context.topology, 0)
        self._policies.execute(order, command, declared)

    def resync(self) -> None:
        """Do nothing: nothing is reported upward."""

    def stop(self) -> None:
        """Do nothing: no work runs beside the owner's thread."""

    def receive(self, message: Envelope) -> None:
        """Handle its own policy, as the broker retains it, or a status."""
        payload = message.payload
        if isinstance(payload, PolicyDocument):
            self._retained.arrived(self._policies.problem_of_retained(message, payload))
        elif isinstance(payload, Status):
            self._regionals.update(message, payload)

    def rejected(self, topic: str, why: str) -> None:
        """Publish the global policy again where something else is retained in its place."""
        self._retained.rejected(topic, why)

    def apply(self, tx: Transaction, message: Envelope) -> None:
        """Apply a summary or record an event in ``tx``."""
        payload = message.payload
        if isinstance(payload, Summary):
            self._apply_summary(tx, payload)
        elif isinstance(payload, Event):
            self._record(tx, message.sender_id, payload)

    def _publish_policy(self) -> None:
        self._policies.publish(policy.global_document(self._context.topology, 0))

    def _record(self, tx: Transaction, sender: str, event: Event) -> None:
        now = time.time()
        tx.append_event(event, sender=sender, at=now)
        if event.event == "policy_applied":
            scope, version = event.detail.get("scope"), event.detail.get("version")
            if isinstance(scope, str) and isinstance(version, int):
                tx.put_applied(sender, scope, version, at=now)

    def _apply_summary(self, tx: Transaction, summary: Summary) -> None:
        """Apply a summary in ``tx``: the changes of the local controllers of its region."""
        now = time.time()
        summary = without(summary, self._removed)
        coming = moved(self._homes, summary)
        summary = timely(self._homes, summary, coming)
        for cycle in coming:
            log.info("%s moved to region %s", cycle.local_id, summary.region)
            tx.move_local(cycle.local_id, summary.region)
        tx.on_commit(partial(self._update_homes, summary))
        unseen = {cycle.local_id: [*cycle.silent] for cycle in summary.locals if cycle.silent}
        for loss in summary.inactive:
            unseen.setdefault(loss.local_id, []).append(loss.device_id)
        for local_id, device_ids in unseen.items():
            tx.record_last_seen(local_id, device_ids)
        tx.apply_summary(summary, at=now)
        for cycle in summary.locals:
            tx.put_cycle(cycle, region=summary.region, at=now)
        if summary.new or summary.updated:
            tx.on_commit(self._search_soon)

    def _update_homes(self, summary: Summary) -> None:
        for cycle in summary.locals:
            self._homes[cycle.local_id] = Home(summary.region, cycle.epoch)

    def _search_soon(self) -> None:
        if not self._search_due:
            self._search_due = True
            self._context.scheduler.after(SEARCH_DELAY, self._announce_roamers)

    def _announce_roamers(self) -> None:
        """Announce each MAC address that is present in more than one region, once."""
        self._search_due = False
        found = self._context.store.macs_in_several_regions()
        for mac in sorted(found.keys() - self._roamers):
            event = Event(
                event="mac_in_two_regions",
                severity="warning",
                subject=mac,
                detail={"regions": sorted(found[mac])},
            )
            announce(self._context, event, topic=self._context.topology.topics.events(SYSTEM))
        self._roamers = frozenset(found)

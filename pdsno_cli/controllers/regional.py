"""The regional controller: keeps its region's inventory, publishes policy and summaries."""

from __future__ import annotations

import logging
import time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.liveness_monitor import LivenessMonitor
from pdsno_cli.controllers.mac_places import mac_events
from pdsno_cli.controllers.policies import Policies
from pdsno_cli.controllers.retained import RetainedPolicy
from pdsno_cli.controllers.summary_builder import SummaryBuilder
from pdsno_cli.delivery.endpoint import announce
from pdsno_cli.delivery.fragments import split
from pdsno_cli.model.details import joined
from pdsno_cli.model.messages import (
    Command,
    DiscoveryReport,
    Envelope,
    LocalCycle,
    PolicyDocument,
    RegionDevice,
    Status,
)
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.ports import Cancellable
    from pdsno_cli.nib.store import Transaction
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)

SUMMARY_DELAY = 0.1  # seconds in which the reports of several locals become one summary
SEARCH_DELAY = 0.2  # seconds in which the reports of several locals share one search for MACs
MOST_EVENTS = 20  # of one search: where a network was copied, its MACs are all there twice
SUMMARY_SHARE = 40  # the pause after a summary, in processor times that it took


class RegionalController:
    """One regional controller; the region's inventory is in its store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        region = context.spec.region
        assert region is not None  # lint refuses a regional without one
        self._region = region
        topics = context.topology.topics
        self._locals = LivenessMonitor(context, Role.LOCAL, self._forget)
        self._summary_topic = topics.summary(region, context.spec.controller_id)
        self._policies = Policies(context)
        self._retained = RetainedPolicy(context, topics.policy(region), self._publish_policy)
        self._summary = SummaryBuilder(region)
        self._summarised: Transaction | None = None  # the last one that changed the summary
        self._due: Cancellable | None = None
        self._arrived: list[RegionDevice] = []  # new devices whose MACs are to be looked for
        self._pause = SUMMARY_DELAY
        # Which changes the last summary before a stop had is not known: the first is a snapshot.
        self._snapshot = True

    def start(self) -> None:
        """Resume watching the region; forget locals that moved to another one, or are gone."""
        self._policies.recall(GLOBAL)
        declared = self._context.topology.of_role(Role.LOCAL, self._region)
        known = self._context.store.homes().keys()
        self._locals.start(known - {item.controller_id for item in declared})

    def connected(self) -> None:
        """Publish the region's policy."""
        self._locals.connected()
        self._publish_policy()
        self._summarise_soon()

    def disconnected(self) -> None:
        """Suspend liveness checks."""
        self._locals.disconnected()

    def stop(self) -> None:
        """Stage the last changes as a summary: it is sent now, or at the next start."""
        self._send_summary()

    def reconfigured(self, before: Topology, removed: frozenset[str]) -> None:
        """Watch the locals that have come, forget those that have gone, publish a changed policy."""
        region, topology = self._region, self._context.topology
        was = {item.controller_id for item in before.of_role(Role.LOCAL, region)}
        now = {item.controller_id for item in topology.of_role(Role.LOCAL, region)}
        ended = (was | removed) - topology.controllers.keys()
        known = self._context.store.homes().keys() | was
        moved = (known & topology.controllers.keys()) - now
        gone = (ended & known) | moved
        self._policies.reconfigured()
        self._locals.reconfigured(now - was, ended & known, moved)
        if gone:
            with self._context.store.transaction() as tx:
                for name in gone:
                    tx.drop_local(name)
            self.resync()
        if policy.regional_document(before, region, 0) != self._declared():
            self._publish_policy()

    def execute(self, order: Envelope, command: Command) -> None:
        """Publish the region's policy as ordered."""
        self._policies.execute(order, command, self._declared())

    def resync(self) -> None:
        """Publish a summary of the whole region."""
        self._snapshot = True
        self._summarise_soon()

    def receive(self, message: Envelope) -> None:
        """Handle a policy or a status."""
        payload = message.payload
        if isinstance(payload, PolicyDocument) and payload.scope == self._region:
            self._retained.arrived(self._policies.problem_of_retained(message, payload))
        elif isinstance(payload, PolicyDocument):
            self._policies.accept(message, payload)
        elif isinstance(payload, Status):
            self._locals.update(message, payload)
            if payload.role == Role.LOCAL.value and payload.region != self._region:
                self._forget_moved(message)

    def rejected(self, topic: str, why: str) -> None:
        """Publish the region's policy again where something else is retained in its place."""
        self._retained.rejected(topic, why)

    def apply(self, tx: Transaction, message: Envelope) -> None:
        """Apply a report in ``tx``, and add it to the next summary."""
        report = message.payload
        assert isinstance(report, DiscoveryReport)  # it receives no other stream
        local_id, now = message.sender_id, time.time()
        if self._locals.is_elsewhere(local_id):
            return
        self._locals.watch(local_id)
        cycle = LocalCycle(
            local_id=local_id,
            epoch=message.epoch,
            cycle=report.cycle,
            active=report.active,
            seen_at=None if report.silent is None else report.started_at,
            silent=report.silent or (),
        )
        if report.silent or report.inactive:
            tx.record_last_seen(local_id, (*cycle.silent, *report.inactive))
        lost = tx.apply_changes(
            local_id=local_id,
            region=self._region,
            new=report.new,
            updated=report.updated,
            inactive=report.inactive,
            snapshot=report.replaces,
            at=now,
        )
        tx.put_cycle(cycle, region=self._region, at=now)
        if report.details:
            tx.put_details(local_id, joined(report.details), at=now)
        if report.changes:
            tx.add_history(local_id, report.changes, at=now)
        self._summary.add(local_id, report, lost, tx)
        if report.new:
            arrived = [RegionDevice(local_id=local_id, device=device) for device in report.new]
            tx.on_commit(partial(self._search_soon, arrived))
        if self._summarised is not tx:
            self._summarised = tx
            tx.on_commit(partial(self._committed, tx))
            # Rolled back, it leaves in the summary what did not happen: a snapshot corrects that.
            tx.on_rollback(self.resync)

    def _committed(self, tx: Transaction) -> None:
        self._summary.merge(tx)
        self._summarise_soon()

    def _search_soon(self, arrived: list[RegionDevice]) -> None:
        """Look soon for the MACs of new devices at other local controllers."""
        if not self._arrived:
            self._context.scheduler.after(SEARCH_DELAY, self._search)
        self._arrived += arrived

    def _search(self) -> None:
        arrived, self._arrived = self._arrived, []
        macs = {item.device.mac for item in arrived if item.device.mac is not None}
        if not macs:
            return
        store = self._context.store
        present = store.devices_with_macs(macs, active=True)
        absent = store.devices_with_macs(macs, active=False)
        for event in islice(mac_events(arrived, present, absent, self._region), MOST_EVENTS):
            announce(self._context, event)

    def _forget(self, tx: Transaction, local_id: str) -> None:
        """Delete all that is known of a local controller that has left the region."""
        topics = self._context.topology.topics
        stream = topics.stream(topics.discovery(self._region, local_id))
        tx.forget_local(local_id, stream)
        tx.on_commit(self.resync)

    def _forget_moved(self, status: Envelope) -> None:
        """Forget the local controller that published a ``status`` of another region."""
        local_id = status.sender_id
        home = self._context.store.homes().get(local_id)
        if home is not None and home[1] < status.epoch:
            log.info("%s moved to another region", local_id)
            with self._context.store.transaction() as tx:
                self._forget(tx, local_id)
            self.resync()

    def _publish_policy(self) -> None:
        self._policies.publish(self._declared())

    def _declared(self) -> PolicyDocument:
        return policy.regional_document(self._context.topology, self._region, 0)

    def _summarise_soon(self) -> None:
        if self._due is None:
            self._due = self._context.scheduler.after(self._pause, self._summarise)

    def _summarise(self) -> None:
        """Publish a summary; the more it costs, the longer changes are gathered for the next."""
        began = time.thread_time()  # the wall clock would count the work of other processes
        self._send_summary()
        self._pause = max(SUMMARY_DELAY, SUMMARY_SHARE * (time.thread_time() - began))
        self._due = None  # only now: what was committed meanwhile waits for as long
        if self._snapshot or not self._summary.empty:
            self._summarise_soon()

    def _unknown(self) -> list[str]:
        """Return the declared local controllers that never reported to this store."""
        cycles = {cycle.local_id for cycle in self._context.store.cycles()}
        declared = self._context.topology.of_role(Role.LOCAL, self._region)
        names = {item.controller_id for item in declared} - cycles
        return sorted(name for name in names if not self._locals.is_elsewhere(name))

    def _send_summary(self) -> None:
        full = self._context.publisher.full(self._summary_topic)
        self._snapshot = self._snapshot or full
        if self._snapshot:
            self._summary.replace(
                self._context.store.cycles(), self._context.store.devices(active=True)
            )
        if not self._snapshot and self._summary.empty:
            return
        summary = self._summary.build(
            snapshot=self._snapshot,
            active=self._context.store.count_active(),
            unknown=self._unknown() if self._snapshot else (),
        )
        self._snapshot = False
        with self._context.publisher.unit() as unit:
            if full:
                unit.coalesce(self._summary_topic)
            for fragment in split(summary, self._context.topology.broker.max_payload):
                unit.stage(self._summary_topic, fragment)

"""The local controller: discovers devices in its subnets and reports what changed."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.controllers import policy
from pdsno_cli.controllers.parts import parts
from pdsno_cli.discovery.changes import decide
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import Command, DiscoveryReport, Envelope, Event, PolicyDocument
from pdsno_cli.model.notices import CycleNotice, WarningNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import expand
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Cancellable, Context, Unit
    from pdsno_cli.discovery.changes import Changes
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.spec.topology import Discovery

log = logging.getLogger(__name__)

# Seconds for each local controller of the topology in which first cycles are spread at random, so
# that hundreds that start together do not probe together, then and in every cycle that follows.
SPREAD = 0.02

POLICY_WAIT = 3.0  # seconds to wait for the retained policy before going by the file


class LocalController:
    """One local controller; its view of the network is in its store.

    OperationError when a secret that it needs is missing.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        region = context.spec.region
        assert region is not None  # lint refuses a local without one
        self._region = region
        self._topic = context.topology.topics.discovery(region, context.spec.controller_id)
        declared = context.spec.discovery.snmp
        self._snmp = replace(
            declared,
            community=secrets.resolve(declared.community, base=context.topology.folder),
        )
        self._documents: dict[str, PolicyDocument] = {}
        self._next: Cancellable | None = None
        self._sweeping = False
        self._started = 0.0  # the last cycle, on the monotonic clock
        self._spread = SPREAD * len(context.topology.of_role(Role.LOCAL))
        self._cancel = threading.Event()
        self._cycle = 0
        # The first report in the life of a store says all; later ones follow on it.
        self._snapshot = not context.publisher.told(self._topic)
        self._warned: set[str] = set()

    def start(self) -> None:
        """Remember the last policies; begin with them if no newer one comes in time."""
        for scope in (GLOBAL, self._region):
            document = self._context.store.policy(scope)
            if document is not None:
                self._documents[scope] = document
        self._next = self._context.scheduler.after(POLICY_WAIT, self._begin)

    def connected(self) -> None:
        """Discovery goes on in any case."""

    def disconnected(self) -> None:
        """Discovery goes on; its reports wait in the outbox."""

    def base(self, envelope: Envelope, command: Command) -> None:
        """A local controller keeps nobody's stream."""

    def tell_all(self) -> None:
        """Report every present device at once."""
        self._snapshot = True
        if self._sweeping:
            return  # the cycle that runs ends with that report
        now = time.time()
        known = self._context.store.known()
        active = tuple(item.device for item in known.values() if item.active)
        report = DiscoveryReport(
            region=self._region,
            cycle=self._cycle,
            snapshot=True,
            outcome="complete",
            started_at=timestamp(now),
            seconds=0.0,
            probes=(),
            new=(),
            updated=active,
            inactive=(),
            active=len(active),
        )
        with self._context.publisher.unit() as unit:
            self._stage(unit, report)

    def _stage(self, unit: Unit, report: DiscoveryReport) -> None:
        for part in parts(report, self._context.topology.broker.max_payload):
            unit.stage(self._topic, part)
        self._snapshot = False

    def stop(self) -> None:
        """End the sweep that runs."""
        self._cancel.set()

    def receive(self, envelope: Envelope) -> None:
        """Take a policy."""
        if isinstance(envelope.payload, PolicyDocument):
            self._take_policy(envelope.payload)

    def _take_policy(self, document: PolicyDocument) -> None:
        """Apply a policy; the next cycle goes by it.

        RefusedError when it is older than the one in force.
        """
        known = self._documents.get(document.scope)
        if known is not None and document.version < known.version:
            raise RefusedError(
                Reason.REPLAYED,
                f"policy {document.scope} {document.version} is older than {known.version}",
            )
        if known is None or document.version > known.version:
            with self._context.publisher.unit() as unit:
                unit.tx.put_policy(document, at=time.time())
                self._announce_policy(unit, document)
            self._documents[document.scope] = document
        if document.scope == self._region or self._cycle:
            self._plan()

    def _announce_policy(self, unit: Unit, document: PolicyDocument) -> None:
        unit.stage(
            self._context.topology.topics.events(self._region),
            Event(
                event="policy_applied",
                severity="info",
                subject=self._context.spec.controller_id,
                region=self._region,
                detail={"scope": document.scope, "version": document.version},
            ),
        )

    def _policy(self) -> Discovery:
        documents = [self._documents[s] for s in (GLOBAL, self._region) if s in self._documents]
        return policy.effective(
            self._context.spec.discovery, documents, self._context.spec.controller_id
        )

    def _plan(self) -> None:
        """Set the time of the next cycle by the policy in force; the first is due about now."""
        if self._sweeping:
            return
        if self._next is not None:
            self._next.cancel()
        if self._cycle:
            wait = max(self._started + self._policy().interval - time.monotonic(), 0.0)
        else:
            wait = random.uniform(0.0, self._spread)  # noqa: S311 - jitter is no secret
        self._next = self._context.scheduler.after(wait, self._begin)

    def _begin(self) -> None:
        """Start a cycle on the background thread."""
        rules = self._policy()
        started = time.time()
        self._started = time.monotonic()
        self._sweeping = True
        self._next = None
        targets = expand(rules.targets)
        self._context.background.submit(
            lambda: self._context.sweep(targets, rules.protocols, self._snmp, self._cancel),
            lambda result: self._end(rules, started, result),
        )

    def _end(self, rules: Discovery, started: float, result: SweepResult) -> None:
        """Commit what the cycle found and report what changed. Owner's thread."""
        self._sweeping = False
        if result.cancelled:
            return
        self._cycle += 1
        changes = decide(
            self._context.store.known(),
            result.observations,
            probes=result.probes,
            missed_cycles=rules.missed_cycles,
        )
        self._warn(result, changes)
        local_id = self._context.spec.controller_id
        report = self._report(started, result, changes)
        with self._context.publisher.unit() as unit:
            if changes.outcome != "failed":
                unit.tx.put_known(
                    local_id,
                    self._region,
                    changes.known.values(),
                    seen=frozenset(changes.seen),
                    at=time.time(),
                )
            self._stage(unit, report)
        self._context.watcher.notice(
            CycleNotice(
                controller_id=local_id,
                cycle=self._cycle,
                outcome=report.outcome,
                seconds=report.seconds,
                probes=report.probes,
                new=len(changes.new),
                updated=len(changes.updated),
                inactive=len(changes.inactive),
                active=report.active,
            )
        )
        self._plan()

    def _report(self, started: float, result: SweepResult, changes: Changes) -> DiscoveryReport:
        told = {device.device_id for device in changes.new}
        updated = changes.updated
        if self._snapshot:
            updated = tuple(d for d in changes.active if d.device_id not in told)
        return DiscoveryReport(
            region=self._region,
            cycle=self._cycle,
            snapshot=self._snapshot,
            outcome=changes.outcome,
            started_at=timestamp(started),
            seconds=round(result.seconds, 3),
            probes=result.probes,
            new=changes.new,
            updated=updated,
            inactive=changes.inactive,
            active=len(changes.active),
        )

    def _warn(self, result: SweepResult, changes: Changes) -> None:
        """Say once what keeps a protocol from being used, and always that a cycle failed."""
        for probe in result.probes:
            if probe.error is not None and probe.error not in self._warned:
                self._warned.add(probe.error)
                self._tell(f"{probe.protocol}: {probe.error}")
        if changes.outcome == "failed":
            self._tell("every probe failed: this cycle changes nothing")

    def _tell(self, text: str) -> None:
        log.warning("%s", text)
        self._context.watcher.notice(
            WarningNotice(controller_id=self._context.spec.controller_id, text=text)
        )

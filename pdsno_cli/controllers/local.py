"""The local controller: discovers devices in its subnets and reports what changed."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pdsno_cli.controllers import cycles, policy
from pdsno_cli.controllers.cycle_reports import CycleReports
from pdsno_cli.controllers.policies import Policies
from pdsno_cli.controllers.trap_watch import TrapWatch
from pdsno_cli.discovery.changes import decide
from pdsno_cli.discovery.device_details import with_digests
from pdsno_cli.model import blackouts
from pdsno_cli.model.messages import Command, Envelope, PolicyDocument
from pdsno_cli.model.notices import CycleNotice, WarningNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.spec.credentials import resolve_snmp

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.ports import Cancellable
    from pdsno_cli.discovery.changes import Changes
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.nib.store import Transaction
    from pdsno_cli.spec.topology import Discovery, Topology

log = logging.getLogger(__name__)

PROMPT_PAUSE = 5.0  # seconds from the start of one cycle to one that a device asks for

# Seconds for each local controller of the topology in which first cycles are spread at random, so
# that hundreds that start together do not probe together, then and in every cycle that follows.
SPREAD = 0.02

_CLOCKS = 0.1  # seconds by which timers may run ahead of the wall clock
_RECHECK = 60.0  # seconds until the wall clock, which may be set, is read again for blackouts
POLICY_WAIT = 3.0  # seconds to wait for the retained policy before following the file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    """A running cycle: its rules, when it started (Unix time), and the order that it answers."""

    rules: Discovery
    targets: AddressSet
    started: float
    answers: str | None
    cancel: threading.Event = field(default_factory=threading.Event)

    def exceeds(self, rules: Discovery) -> bool:
        """Return True if it probes what ``rules`` exclude."""
        return (
            not set(self.rules.protocols) <= set(rules.protocols)
            or self.targets.beyond(cycles.targets(rules)) is not None
        )


class LocalController:
    """One local controller; its view of the network is in its store.

    OperationError when a secret that it needs is missing.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        region = context.spec.region
        assert region is not None  # lint refuses a local without one
        self._region = region
        self._snmp = resolve_snmp(context.spec.discovery.snmp, base=context.topology.folder)
        self._policies = Policies(context)
        self._next: Cancellable | None = None
        self._curfew: Cancellable | None = None  # looks for blackouts while a cycle runs
        self._blackout: datetime | None = None  # the end of the blackout that was reported last
        self._sweep: _Sweep | None = None  # the running cycle
        self._ordered: deque[str] = deque()  # message_ids, each for a cycle of its own
        self._started = 0.0  # the last cycle, on the monotonic clock
        self._spread = SPREAD * len(context.topology.of_role(Role.LOCAL))
        self._reports = CycleReports(context, region)
        self._held = False  # the last cycle held a mass loss back
        self._warned: set[str] = set()
        self._prompted = False  # a device asks for a cycle
        self._traps = TrapWatch(
            self._snmp,
            context.scheduler,
            targets=lambda: cycles.targets(self._policy()),
            prompt=self._prompt,
        )

    def start(self) -> None:
        """Recall the last policies; the first cycle follows them if no newer one arrives in time.

        In another region than before, the first report is a snapshot, and reports still queued for
        the old one are dropped.
        """
        self._reports.leave_former_regions()
        self._policies.recall(GLOBAL, self._region)
        self._next = self._context.scheduler.after(POLICY_WAIT, self._begin)
        problem = self._traps.start()
        if problem is not None:
            self._warn_watcher(problem)

    def connected(self) -> None:
        """Do nothing: discovery runs in any case."""

    def disconnected(self) -> None:
        """Do nothing: discovery goes on, and its reports are kept in the outbox."""

    def reconfigured(self, before: Topology, removed: frozenset[str]) -> None:
        """Follow the new settings from the next cycle on, at once if the running one exceeds them."""
        self._policies.reconfigured()
        self._leave_excess()
        self._watch_blackouts()
        if self._reports.cycle or self._blackout is not None:
            self._plan()

    def _prompt(self) -> None:
        """Discover soon: a device says that it started, or that a link changed."""
        self._prompted = True
        if self._reports.cycle:
            self._plan()

    def execute(self, order: Envelope, command: Command) -> None:
        """Discover now, or right after the cycle that runs; or describe devices.

        RefusedError for a discovery in a blackout.
        """
        if command.order == "describe":
            self._reports.describe(order.message_id, frozenset(command.devices))
            return
        if command.order != "discover":
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{self._context.spec.controller_id} publishes no policy"
            )
        over = cycles.blackout(self._policy(), blackouts.local_now())
        if over is not None:
            raise RefusedError(Reason.UNTIMELY, _until(over))
        self._ordered.append(order.message_id)
        self._plan()

    def resync(self) -> None:
        """Report every present device at once, or with the cycle that runs."""
        if self._sweep is not None:
            self._reports.require_snapshot()
        else:
            self._reports.publish_snapshot()

    def stop(self) -> None:
        """Cancel the running sweep."""
        self._traps.stop()
        if self._sweep is not None:
            self._sweep.cancel.set()

    def apply(self, tx: Transaction, message: Envelope) -> None:
        """Do nothing: a local controller receives no durable message."""

    def rejected(self, topic: str, why: str) -> None:
        """Do nothing: a local controller publishes no policy."""

    def receive(self, message: Envelope) -> None:
        """Handle a policy: the next cycle follows it, at once if the running one exceeds it."""
        document = message.payload
        if isinstance(document, PolicyDocument):
            self._policies.accept(message, document)
            self._leave_excess()
            if document.scope == self._region or self._reports.cycle:
                self._plan()

    def _leave_excess(self) -> None:
        """Cancel the running cycle if it probes what, or when, is not to be probed."""
        rules = self._policy()
        if self._sweep is not None and (
            self._sweep.exceeds(rules) or cycles.blackout(rules, blackouts.local_now()) is not None
        ):
            log.info("the running cycle is cancelled: it exceeds what is in force now")
            self._sweep.cancel.set()

    def _policy(self) -> Discovery:
        spec, documents = self._context.spec, self._policies.of(GLOBAL, self._region)
        return policy.effective(spec.discovery, documents, spec.controller_id)

    def _plan(self) -> None:
        """Schedule the next cycle: now where one is ordered, else by the policy in force.

        The first comes after a random delay.
        """
        if self._sweep is not None:
            return
        if self._next is not None:
            self._next.cancel()
        if self._ordered:
            wait = 0.0
        elif self._reports.cycle:
            elapsed = time.monotonic() - self._started
            chance = random.uniform(-1.0, 1.0)  # noqa: S311 - jitter is no secret
            wait = cycles.delay(self._policy().interval, elapsed, chance)
            if self._prompted:
                wait = min(wait, max(PROMPT_PAUSE - elapsed, 0.0))
        else:
            wait = random.uniform(0.0, self._spread)  # noqa: S311 - jitter is no secret
        self._next = self._context.scheduler.after(wait, self._begin)

    def _begin(self) -> None:
        """Start a cycle on the background thread, unless there is a blackout."""
        rules = self._policy()
        self._next = None
        now = blackouts.local_now()
        over = cycles.blackout(rules, now)
        if over is not None:
            self._await(over, now)
            return
        answers = self._ordered.popleft() if self._ordered else None
        started = time.time()
        self._started = time.monotonic()
        self._prompted = False
        self._sweep = running = _Sweep(
            rules=rules, targets=cycles.targets(rules), started=started, answers=answers
        )
        self._blackout = None
        self._watch_blackouts()
        thorough = answers is not None or self._reports.cycle % cycles.THOROUGH == 0
        pace = cycles.pace(rules, self._context.store.known().values(), thorough=thorough)
        self._context.background.submit(
            lambda: self._context.sweep(
                running.targets,
                rules.protocols,
                self._snmp,
                running.cancel,
                pace=pace,
                answering_only=rules.snmp_to == "answering",
            ),
            lambda result: self._end(running, result),
        )

    def _await(self, over: datetime, now: datetime) -> None:
        """Start the next cycle, and what was ordered before, when the blackout is over."""
        if over != self._blackout:
            self._blackout = over
            self._warn_watcher(_until(over))
        left = (over - now).total_seconds() + random.uniform(0.0, self._spread)  # noqa: S311 - jitter
        self._next = self._context.scheduler.after(min(left, _RECHECK), self._begin)

    def _watch_blackouts(self) -> None:
        """While a cycle runs, cancel it when a blackout begins."""
        if self._curfew is not None:
            self._curfew.cancel()
            self._curfew = None
        if self._sweep is None:
            return
        self._leave_excess()
        left = cycles.next_blackout(self._policy(), blackouts.local_now())
        if left is not None:
            seconds = min(left.total_seconds() + _CLOCKS, _RECHECK)
            self._curfew = self._context.scheduler.after(seconds, self._watch_blackouts)

    def _end(self, running: _Sweep, result: SweepResult) -> None:
        """Commit the result of a cycle and report the changes. Owner's thread."""
        self._sweep = None
        self._watch_blackouts()
        if result.cancelled:
            # Its result is incomplete. An order is answered by the next one, which is due.
            if running.answers is not None:
                self._ordered.appendleft(running.answers)
            self._started = -math.inf
            self._plan()
            return
        changes = decide(
            self._context.store.known(),
            with_digests(result.observations, result.details),
            probes=result.probes,
            missed_cycles=running.rules.missed_cycles,
            mass_loss=running.rules.mass_loss,
            held=self._held,
        )
        self._held = bool(changes.held)
        self._warn(result, changes)
        report = self._reports.commit(running.started, result, changes, running.answers)
        notice = CycleNotice(
            controller_id=self._context.spec.controller_id,
            cycle=report.cycle,
            outcome=report.outcome,
            seconds=report.seconds,
            probes=report.probes,
            new=len(changes.new),
            updated=len(changes.updated),
            inactive=len(changes.inactive),
            active=report.active,
            snmp=sum("snmp" in device.protocols for device in changes.active),
        )
        log.info("%s", notice.text)
        self._context.watcher.notice(notice)
        self._plan()

    def _warn(self, result: SweepResult, changes: Changes) -> None:
        """Warn once of each error of a probe, and each time that a whole cycle failed."""
        for text in result.warnings:
            key = text.partition(" ")[2]  # without the number of hosts, which varies
            if key not in self._warned:
                self._warned.add(key)
                self._warn_watcher(text)
        for probe in result.probes:
            if probe.error is not None and probe.error not in self._warned:
                self._warned.add(probe.error)
                self._warn_watcher(f"{probe.protocol}: {probe.error}")
        if changes.outcome == "failed":
            self._warn_watcher("every probe failed: this cycle changes nothing")

    def _warn_watcher(self, text: str) -> None:
        log.warning("%s", text)
        self._context.watcher.notice(
            WarningNotice(controller_id=self._context.spec.controller_id, text=text)
        )


def _until(over: datetime) -> str:
    return f"blackout until {over:%Y-%m-%d %H:%M}: no cycle starts before"

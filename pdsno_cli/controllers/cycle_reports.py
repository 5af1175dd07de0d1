"""Commits what the cycles of a local controller found, and stages the reports about it."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pdsno_cli.controllers.device_events import conditions, cycle_events
from pdsno_cli.delivery.endpoint import events_topic
from pdsno_cli.delivery.fragments import split
from pdsno_cli.discovery.device_details import by_device
from pdsno_cli.discovery.mac_sets import with_interface_macs
from pdsno_cli.model.details import pieces, whole
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import DiscoveryReport

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pdsno_cli.controllers.device_events import Condition
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.publisher import Unit
    from pdsno_cli.discovery.changes import Changes
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.model.details import Detail, DeviceDetail

MOST_SILENT = 100  # present devices without an answer that a report lists


class CycleReports:
    """The reports of one local controller, one for each cycle; ``cycle`` counts them."""

    def __init__(self, context: Context, region: str) -> None:
        self._context, self._region = context, region
        self._local_id = context.spec.controller_id
        self._topic = context.topology.topics.discovery(region, self._local_id)
        self.cycle = 0
        # The first report of a store is a snapshot; later ones build upon it.
        self._snapshot = not context.publisher.has_published(self._topic)
        self._coalesce = False
        self._standing: Container[Condition] = ()  # what was the matter in the last cycle

    def leave_former_regions(self) -> None:
        """In another region than before, begin with a snapshot, and drop reports still queued."""
        topics, store = self._context.topology.topics, self._context.store
        regions = store.former_regions() - {self._region}
        former = {
            topics.stream(topics.discovery(region, self._local_id)): region for region in regions
        }
        self._snapshot = self._snapshot or bool(regions)
        with self._context.publisher.unit() as unit:
            for stream in former.keys() & set(store.outbox_streams()):
                unit.coalesce(topics.discovery(former[stream], self._local_id))

    def require_snapshot(self) -> None:
        """Make the next report a snapshot."""
        self._snapshot = True

    def commit(
        self, started: float, result: SweepResult, changes: Changes, answers: str | None
    ) -> DiscoveryReport:
        """Commit the changes of a cycle that ``started`` at a Unix time; return their report.

        ``answers`` is the order that it answers.
        """
        if self._context.publisher.full(self._topic):
            self._snapshot = self._coalesce = True
        self.cycle += 1
        now = time.time()
        read = by_device(changes.active, result.details)
        report = self._of_cycle(started, result, changes, self._details(read))
        topic = events_topic(self._context)
        with self._context.publisher.unit() as unit:
            if changes.outcome != "failed":
                unit.tx.put_known(
                    self._local_id,
                    self._region,
                    with_interface_macs(changes.known, read).values(),
                    seen=frozenset(changes.seen),
                    at=now,
                )
                details = [whole(device_id, detail) for device_id, detail in read.items()]
                unit.tx.put_details(self._local_id, details, at=now)
                unit.tx.add_history(self._local_id, changes.history, at=now)
            self._stage(unit, report, answers)
            for event in cycle_events(
                changes, result, self._local_id, self._region, standing=self._standing
            ):
                unit.stage(topic, event)
        self._standing = conditions(changes, result).keys()
        return report

    def publish_snapshot(self) -> None:
        """Report every present device at once."""
        self._snapshot = True
        known = self._context.store.known()
        active = tuple(item.device for item in known.values() if item.active)
        report = replace(
            self._unchanged(),
            outcome="complete" if known or self.cycle else "failed",  # no cycle has ended so far
            snapshot=True,
            updated=active,
            active=len(active),
            details=self._details({}),
        )
        with self._context.publisher.unit() as unit:
            self._stage(unit, report, None)

    def describe(self, message_id: str, device_ids: Container[str]) -> None:
        """Report the whole details of devices, and nothing else, as the answer to an order."""
        store = self._context.store
        found = (item for item in store.details() if item.device_id in device_ids)
        parts = (pieces(item.device_id, item.detail) for item in found)
        report = replace(
            self._unchanged(),
            active=store.count_active(),
            details=tuple(chain.from_iterable(parts)),
        )
        with self._context.publisher.unit() as unit:
            for fragment in split(report, self._context.topology.broker.max_payload):
                unit.stage(self._topic, fragment, answers=message_id)

    def _stage(self, unit: Unit, report: DiscoveryReport, answers: str | None) -> None:
        if self._coalesce:
            unit.coalesce(self._topic)
            self._coalesce = False
        for fragment in split(report, self._context.topology.broker.max_payload):
            unit.stage(self._topic, fragment, answers=answers)
        self._snapshot = report.snapshot and not report.replaces

    def _unchanged(self) -> DiscoveryReport:
        """Return a report of no change."""
        return DiscoveryReport(
            region=self._region,
            cycle=self.cycle,
            snapshot=False,
            outcome="complete",
            started_at=timestamp(time.time()),
            seconds=0.0,
            probes=(),
            new=(),
            updated=(),
            inactive=(),
            active=0,
        )

    def _of_cycle(
        self,
        started: float,
        result: SweepResult,
        changes: Changes,
        details: tuple[DeviceDetail, ...],
    ) -> DiscoveryReport:
        new = {device.device_id for device in changes.new}
        updated = changes.updated
        if self._snapshot:
            updated = tuple(d for d in changes.active if d.device_id not in new)
        return DiscoveryReport(
            region=self._region,
            cycle=self.cycle,
            snapshot=self._snapshot,
            outcome=changes.outcome,
            started_at=timestamp(started),
            seconds=round(result.seconds, 3),
            probes=result.probes,
            new=changes.new,
            updated=updated,
            inactive=changes.inactive,
            active=len(changes.active),
            silent=self._silent(changes),
            details=details,
            changes=changes.history,
        )

    def _details(self, read: Mapping[str, Detail]) -> tuple[DeviceDetail, ...]:
        """Return what a report says of details: those that changed, in a snapshot all, each brief."""
        store = self._context.store
        if self._snapshot:
            read = {item.device_id: item.detail for item in store.details()} | dict(read)
        elif read:
            stored = store.detail_digests(self._local_id)
            read = {key: detail for key, detail in read.items() if stored.get(key) != detail.digest}
        parts = (pieces(key, read[key], brief=True) for key in sorted(read))
        return tuple(chain.from_iterable(parts))

    def _silent(self, changes: Changes) -> tuple[str, ...] | None:
        """Return the present devices that did not answer, None where they are not reported."""
        if changes.outcome == "failed":
            return None
        present = {device.device_id for device in changes.active}
        silent = sorted(present.difference(changes.seen))
        most = min(MOST_SILENT, self._context.topology.broker.max_payload // 1000)
        return tuple(silent) if len(silent) <= most else None

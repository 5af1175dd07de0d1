"""Gathers reports until they go up as one summary; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import LocalCycle, RegionDevice, RegionLoss, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.messages import DiscoveryReport

_Key = tuple[str, str]


class Digest:
    """What changed in a region since the last summary: the newest state of each device."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._clear()

    def _clear(self) -> None:
        self._cycles: dict[str, LocalCycle] = {}
        self._new: dict[_Key, RegionDevice] = {}
        self._updated: dict[_Key, RegionDevice] = {}
        self._inactive: dict[_Key, RegionLoss] = {}

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self._cycles or self._new or self._updated or self._inactive)

    def add(self, cycle: LocalCycle, report: DiscoveryReport, lost: Iterable[str]) -> None:
        """Take in a committed report; ``lost`` are the device ids that it made inactive."""
        local_id = cycle.local_id
        if not report.more:
            self._cycles[local_id] = cycle
        for device in report.new:
            key = (local_id, device.device_id)
            self._inactive.pop(key, None)
            self._updated.pop(key, None)
            self._new[key] = RegionDevice(local_id=local_id, device=device)
        for device in report.updated:
            key = (local_id, device.device_id)
            self._inactive.pop(key, None)
            into = self._new if key in self._new else self._updated
            into[key] = RegionDevice(local_id=local_id, device=device)
        for device_id in lost:
            key = (local_id, device_id)
            self._new.pop(key, None)
            self._updated.pop(key, None)
            self._inactive[key] = RegionLoss(local_id=local_id, device_id=device_id)

    def replace(self, cycles: Iterable[LocalCycle], devices: Iterable[RegionDevice]) -> None:
        """Hold the whole region instead: every present device that is not new is ``updated``."""
        new = self._new
        self._clear()
        self._cycles = {cycle.local_id: cycle for cycle in cycles}
        for item in devices:
            key = (item.local_id, item.device.device_id)
            into = self._new if key in new else self._updated
            into[key] = item

    def take(self, *, snapshot: bool, active: int) -> Summary:
        """Return the summary and start afresh; ``active`` devices are present in the region."""
        summary = Summary(
            region=self._region,
            snapshot=snapshot,
            locals=tuple(self._cycles.values()),
            new=tuple(self._new.values()),
            updated=tuple(self._updated.values()),
            inactive=tuple(self._inactive.values()),
            active=active,
        )
        self._clear()
        return summary

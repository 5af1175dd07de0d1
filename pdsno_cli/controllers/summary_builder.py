"""Merges the reports of a region into its next summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import LocalCycle, RegionDevice, RegionLoss, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.devices import Device
    from pdsno_cli.model.messages import DiscoveryReport
    from pdsno_cli.nib.store import Transaction

_Key = tuple[str, str]  # local controller and device


class SummaryBuilder:
    """The changes in a region since the last summary: the newest state of each device."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._clear()

    def _clear(self) -> None:
        self._cycles: dict[str, LocalCycle] = {}
        self._present: dict[str, dict[str, Device]] = {}  # by local controller and id
        self._new: set[_Key] = set()  # those present that are new since the last summary
        self._inactive: dict[_Key, RegionLoss] = {}
        self._whole: set[str] = set()  # local controllers of which every present device is here

    @property
    def empty(self) -> bool:
        """Return True if nothing changed."""
        return not (self._cycles or any(self._present.values()) or self._inactive)

    def add(
        self, local_id: str, report: DiscoveryReport, lost: Iterable[str], tx: Transaction
    ) -> None:
        """Add a report that is applied in ``tx``, which made the devices ``lost`` inactive.

        Its cycle and present devices are added with all others of ``tx``, once that is committed:
        see ``merge``.
        """
        if report.new:
            self._new.update((local_id, device.device_id) for device in report.new)
        if report.replaces:
            self.merge(tx)
            self._whole.add(local_id)
        if lost:
            self.merge(tx)  # the reports before this one
            present = self._present.get(local_id, {})
            for device_id in lost:
                key = (local_id, device_id)
                present.pop(device_id, None)
                self._new.discard(key)
                self._inactive[key] = RegionLoss(local_id=local_id, device_id=device_id)

    def merge(self, tx: Transaction) -> None:
        """Merge the cycles and the present devices that ``tx`` has written.

        Devices that are not new are ``updated``.
        """
        self._cycles.update(tx.cycles)
        for local_id, devices in tx.take_present():
            if self._inactive:
                for device_id in devices:
                    self._inactive.pop((local_id, device_id), None)
            present = self._present.setdefault(local_id, devices)
            if present is not devices:
                present.update(devices)

    def replace(self, cycles: Iterable[LocalCycle], devices: Iterable[RegionDevice]) -> None:
        """Replace the changes by the whole region; devices that are not new are ``updated``."""
        new = self._new
        self._clear()
        self._new = new
        self._cycles = {cycle.local_id: cycle for cycle in cycles}
        for item in devices:
            self._present.setdefault(item.local_id, {})[item.device.device_id] = item.device

    def build(self, *, snapshot: bool, active: int, unknown: Iterable[str] = ()) -> Summary:
        """Return the summary and begin the next; ``active`` is the region's number of devices."""
        new: list[RegionDevice] = []
        updated: list[RegionDevice] = []
        for local_id, present in self._present.items():
            for device_id, device in present.items():
                into = new if (local_id, device_id) in self._new else updated
                into.append(RegionDevice(local_id=local_id, device=device))
        summary = Summary(
            region=self._region,
            snapshot=snapshot,
            locals=tuple(self._cycles.values()),
            new=tuple(new),
            updated=tuple(updated),
            inactive=tuple(self._inactive.values()),
            active=active,
            whole=tuple(sorted(self._whole)),
            unknown=tuple(unknown),
        )
        self._clear()
        return summary

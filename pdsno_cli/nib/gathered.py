"""Rows that come in numbers, gathered within a transaction and written together.

What a transaction would write twice it writes once: after an outage a receiver takes in thousands
of reports at a time, which tell of the same devices again and again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.nib import rows
from pdsno_cli.nib import statements as sql

if TYPE_CHECKING:
    import sqlalchemy as sa

    from pdsno_cli.model.devices import Device
    from pdsno_cli.model.messages import LocalCycle
    from pdsno_cli.nib.bulk import Bulk

_Row = tuple[object, ...]
_set = msgspec.structs.force_setattr


class _Told:
    """What one local controller told within a transaction: its present devices, its last cycle.

    One time stands for it all, that of the last report.
    """

    __slots__ = ("at", "cycle", "latest", "region")

    def __init__(self, region: str) -> None:
        self.region = region
        self.at = 0.0
        self.latest: dict[str, Device] = {}  # by id
        self.cycle: LocalCycle | None = None


class Gathered:
    """What one transaction has not yet written."""

    def __init__(self) -> None:
        self._rows: dict[Bulk, list[_Row]] = {}
        self._told: dict[str, _Told] = {}
        self._shared: dict[object, object] = {}
        # What was written:
        self.cycles: dict[str, LocalCycle] = {}
        self._present: list[tuple[str, dict[str, Device]]] = []

    def devices(self, local_id: str, region: str, devices: Iterable[Device], *, at: float) -> None:
        """Take in devices that are present; a state that the next one differs from counts, too.

        They are its own from here on: the caller keeps none of them.
        """
        latest, share = self._of(local_id, region, at).latest, self._shared.setdefault
        for device in devices:
            before = latest.setdefault(device.device_id, device)
            if before is device:
                # Many devices have these in common. Held once, they take less memory, of which
                # more is still in the cache when the device is told again.
                _set(device, "protocols", share(device.protocols, device.protocols))
                _set(device, "sys_descr", share(device.sys_descr, device.sys_descr))
                _set(device, "sys_object_id", share(device.sys_object_id, device.sys_object_id))
                continue
            # Where nothing but the uptime differs, as in most reports, the new device is let go
            # before its memory has left the processor's cache.
            _set(before, "uptime", device.uptime)
            if before != device:
                self.rows(sql.PUT_DEVICES, [rows.device_row(local_id, region, before, at=at)])
                latest[device.device_id] = device

    def cycle(self, cycle: LocalCycle, region: str, *, at: float) -> None:
        """Take in how far a local controller is."""
        self._of(cycle.local_id, region, at).cycle = cycle

    def rows(self, bulk: Bulk, values: Iterable[_Row]) -> None:
        """Take in rows as they are."""
        self._rows.setdefault(bulk, []).extend(values)

    def take_told(self) -> list[tuple[str, dict[str, Device]]]:
        """Return, once, the devices that were written as present, by local controller and id.

        Where a local is there several times, each time stands above the one before.
        """
        present, self._present = self._present, []
        return present

    def write(self, connection: sa.Connection) -> None:
        """Write all, and hold nothing any more."""
        for local_id, told in self._told.items():
            self._finish(local_id, told)
        self._told.clear()
        gathered, self._rows = self._rows, {}
        for bulk, values in gathered.items():
            bulk.write(connection, values)

    def _of(self, local_id: str, region: str, at: float) -> _Told:
        """Return what a local controller told so far, and tells something more of ``at``."""
        told = self._told.get(local_id)
        if told is None or told.region != region:
            if told is not None:
                self._finish(local_id, told)
            told = self._told[local_id] = _Told(region)
        told.at = at
        return told

    def _finish(self, local_id: str, told: _Told) -> None:
        region, at, latest = told.region, told.at, told.latest
        if latest:
            values = [rows.device_row(local_id, region, one, at=at) for one in latest.values()]
            self.rows(sql.PUT_DEVICES, values)
            self._present.append((local_id, latest))
        if told.cycle is not None:
            self.rows(sql.PUT_CYCLES, [rows.cycle_row(told.cycle, region, at)])
            self.cycles[local_id] = told.cycle

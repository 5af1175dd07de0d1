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


class _Present:
    """The devices of one local controller that were told to be present, as last told.

    One time stands for them all, that of the last report: they were told within one transaction.
    """

    __slots__ = ("at", "latest", "region")

    def __init__(self, region: str) -> None:
        self.region = region
        self.at = 0.0
        self.latest: dict[str, Device] = {}


class Gathered:
    """What one transaction has not yet written."""

    def __init__(self) -> None:
        self._rows: dict[Bulk, list[_Row]] = {}
        self._present: dict[str, _Present] = {}
        self._cycles: dict[str, tuple[LocalCycle, str, float]] = {}
        self.cycles: dict[str, LocalCycle] = {}  # those that were written
        self._shared: dict[object, object] = {}
        self._told: list[tuple[str, dict[str, Device]]] = []

    def devices(self, local_id: str, region: str, devices: Iterable[Device], *, at: float) -> None:
        """Take in devices that are present; a state that the next one differs from counts, too.

        They are its own from here on: the caller keeps none of them.
        """
        present = self._present.get(local_id)
        if present is None or present.region != region:
            if present is not None:
                self._finish(local_id, present)
            present = self._present[local_id] = _Present(region)
        present.at = at
        latest, share = present.latest, self._shared.setdefault
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
        self._cycles[cycle.local_id] = cycle, region, at

    def rows(self, bulk: Bulk, values: Iterable[_Row]) -> None:
        """Take in rows as they are."""
        self._rows.setdefault(bulk, []).extend(values)

    def take_told(self) -> list[tuple[str, dict[str, Device]]]:
        """Return, once, the devices that were written as present, by local controller and id.

        Where a local is there several times, each time stands above the one before.
        """
        told, self._told = self._told, []
        return told

    def write(self, connection: sa.Connection) -> None:
        """Write all, and hold nothing any more."""
        for local_id, present in self._present.items():
            self._finish(local_id, present)
        if self._cycles:
            self.rows(sql.PUT_CYCLES, [rows.cycle_row(*item) for item in self._cycles.values()])
            self.cycles.update((key, cycle) for key, (cycle, _, _) in self._cycles.items())
        gathered, self._rows = self._rows, {}
        self._present.clear()
        self._cycles.clear()
        for bulk, values in gathered.items():
            bulk.write(connection, values)

    def _finish(self, local_id: str, present: _Present) -> None:
        region, at = present.region, present.at
        self.rows(
            sql.PUT_DEVICES,
            [rows.device_row(local_id, region, one, at=at) for one in present.latest.values()],
        )
        self._told.append((local_id, present.latest))

"""Buffers the rows of a transaction, so that each device and cycle is written once.

After an outage a receiver commits thousands of reports at a time, most of them about the same
devices: the last state of each replaces those before it. A state that another follows is written,
too, where they differ in more than the uptime: it is a version of the device.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pdsno_cli.nib import rows
from pdsno_cli.nib import statements as sql

if TYPE_CHECKING:
    import sqlalchemy as sa

    from pdsno_cli.model.devices import Device
    from pdsno_cli.model.messages import LocalCycle
    from pdsno_cli.nib.bulk import Bulk

_Row = tuple[object, ...]


class _LocalBuffer:
    """What one local controller reported within a transaction; ``at`` is when it last did."""

    __slots__ = ("at", "cycle", "latest", "region")

    def __init__(self, region: str) -> None:
        self.region = region
        self.at = 0.0
        self.latest: dict[str, Device] = {}  # by id
        self.cycle: LocalCycle | None = None


class WriteBuffer:
    """The rows of one transaction that are not yet written."""

    def __init__(self) -> None:
        self._rows: dict[Bulk, list[_Row]] = {}
        self._locals: dict[str, _LocalBuffer] = {}
        # What was written:
        self.cycles: dict[str, LocalCycle] = {}
        self._present: list[tuple[str, dict[str, Device]]] = []

    def add_devices(
        self, local_id: str, region: str, devices: Iterable[Device], *, at: float
    ) -> None:
        """Add devices that are present."""
        latest = self._local(local_id, region, at).latest
        for device in devices:
            before = latest.get(device.device_id)
            if before is not None and replace(before, uptime=device.uptime) != device:
                self.add_rows(sql.PUT_DEVICES, [rows.device_row(local_id, region, before, at=at)])
            latest[device.device_id] = device

    def add_cycle(self, cycle: LocalCycle, region: str, *, at: float) -> None:
        """Add the last cycle of a local controller."""
        self._local(cycle.local_id, region, at).cycle = cycle

    def add_rows(self, bulk: Bulk, values: Iterable[_Row]) -> None:
        """Add rows as they are."""
        self._rows.setdefault(bulk, []).extend(values)

    def take_present(self) -> list[tuple[str, dict[str, Device]]]:
        """Return, once, the devices that were written as present, by local controller and id.

        Of a local that is there several times, each entry replaces the one before.
        """
        present, self._present = self._present, []
        return present

    def write(self, connection: sa.Connection) -> None:
        """Write all rows and empty the buffer."""
        for local_id, buffer in self._locals.items():
            self._add_local(local_id, buffer)
        self._locals.clear()
        added, self._rows = self._rows, {}
        for bulk, values in added.items():
            bulk.write(connection, values)

    def _local(self, local_id: str, region: str, at: float) -> _LocalBuffer:
        """Return the buffer of a local controller, a new one when it is in another region now."""
        buffer = self._locals.get(local_id)
        if buffer is None or buffer.region != region:
            if buffer is not None:
                self._add_local(local_id, buffer)
            buffer = self._locals[local_id] = _LocalBuffer(region)
        buffer.at = at
        return buffer

    def _add_local(self, local_id: str, buffer: _LocalBuffer) -> None:
        """Add the rows of what a local controller reported."""
        region, at, latest = buffer.region, buffer.at, buffer.latest
        if latest:
            values = [
                rows.device_row(local_id, region, device, at=at) for device in latest.values()
            ]
            self.add_rows(sql.PUT_DEVICES, values)
            self._present.append((local_id, latest))
        if buffer.cycle is not None:
            self.add_rows(sql.PUT_CYCLES, [rows.cycle_row(buffer.cycle, region, at)])
            self.cycles[local_id] = buffer.cycle

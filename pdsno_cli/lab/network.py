"""The devices of a lab and who is plugged into whom: what agents know of their neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pdsno_cli.lab.layout import Cable, Cables, lay
from pdsno_cli.lab.plan import LabDevice


class Network:
    """The devices of a lab, by address.

    A device that is removed keeps its port: it is plugged in there when it is added again.
    ``generation`` rises with each change.
    """

    def __init__(self, devices: Iterable[LabDevice] = ()) -> None:
        self._planned = self._present = {device.address: device for device in devices}
        self._cables: Cables | None = None
        self.generation = 0

    def change(self, present: Mapping[str, LabDevice], planned: Mapping[str, LabDevice]) -> None:
        """Have these devices from now on; ``planned`` are all that have a port."""
        if {(a, d.recording) for a, d in planned.items()} != {
            (a, d.recording) for a, d in self._planned.items()
        }:
            self._cables = None
        self._present, self._planned = dict(present), dict(planned)
        self.generation += 1

    def cables(self, device: LabDevice) -> list[Cable]:
        """Return the cables of a device to those that are present."""
        if self._cables is None:
            self._cables = lay(self._planned.values())
        return [item for item in self._cables.get(device.address, ()) if item.peer in self]

    def now(self, device: LabDevice) -> LabDevice:
        """Return a device that is present as it is now, under its new name."""
        return self._present[device.address]

    def __contains__(self, device: LabDevice) -> bool:
        return device.address in self._present

    def behind(self, device: LabDevice) -> list[LabDevice]:
        """Return all devices that are reached through the ports of a device that lead down."""
        found: list[LabDevice] = []
        queue = [device]
        while queue:
            below = [item.peer for item in self.cables(queue.pop()) if item.down]
            found += below
            queue += below
        return found

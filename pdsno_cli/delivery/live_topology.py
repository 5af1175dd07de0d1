"""The topology in force at one controller, which a running one may be given anew."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pdsno_cli.model.epochs import epoch_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.spec.topology import Topology


@dataclass(slots=True)
class LiveTopology:
    """Holds a topology; its owner's thread replaces it, any thread reads it."""

    topology: Topology
    _removed: dict[str, int] = field(default_factory=dict)  # the epoch of a start at that time

    def replace(self, topology: Topology, removed: Iterable[str]) -> Topology:
        """Go on with another topology, without the ``removed`` controllers; return the one before."""
        before, self.topology = self.topology, topology
        gone = self._removed | dict.fromkeys(removed, epoch_at(time.time()))
        self._removed = {name: at for name, at in gone.items() if name not in topology.controllers}
        return before

    def is_removed(self, sender: str, epoch: int) -> bool:
        """Return True if a message was sent by a controller before it was removed.

        Such a message may still be on its way.
        """
        return epoch <= self._removed.get(sender, -1)

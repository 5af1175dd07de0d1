"""What carries a lab's devices: ``loopback`` and ``wire`` implement it.

::

    with Lab(devices, medium=Loopback()) as lab:
        lab.serve(stop)
"""

from __future__ import annotations

import selectors
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pdsno_cli.lab.agent import Agent
    from pdsno_cli.lab.plan import LabDevice


class Medium(Protocol):
    """Lets devices answer. Called under the lab's lock; a ready source's callback is its key's data."""

    mode: str  # in the topology file
    ipv6: str | None  # the prefix in which hosts have further addresses

    def open(
        self, selector: selectors.BaseSelector, devices: Iterable[LabDevice]
    ) -> list[LabDevice]:
        """Prepare for these devices; return them in the order to start them. Raises LabError.

        What becomes readable is registered with ``selector``.
        """

    def start(self, device: LabDevice, agent: Agent | None) -> None:
        """Let a device answer; raises LabError if it cannot."""

    def stop(self, address: str) -> None:
        """Have the agent at an address no longer answer; harmless where there is none."""

    def silence(self, address: str) -> str | None:
        """Have nothing answer at an address; return None, or why something still does."""

    def restore(self, address: str) -> None:
        """Undo ``silence``; harmless when it was not called."""

    def replan(self, devices: Iterable[LabDevice], ranges: Iterable[tuple[int, int]]) -> None:
        """Reach these devices, in these ranges of addresses; raises LabError if it cannot."""

    def tick(self, devices: Iterable[LabDevice]) -> None:
        """Do what is due without a request; called several times a second while it is served."""

    def close(self) -> None:
        """End all of it, and leave nothing behind; harmless when repeated."""

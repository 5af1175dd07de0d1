"""What a controller works with, and how the runtime drives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from pdsno_cli.delivery.endpoint import Endpoint
from pdsno_cli.delivery.ports import Consumer

if TYPE_CHECKING:
    import threading

    from pdsno_cli.discovery.pace import Pace
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.spec.topology import Snmp, Topology

Result = TypeVar("Result")


class Background(Protocol):
    """A second thread, for work that waits for the network."""

    def submit(self, work: Callable[[], Result], done: Callable[[Result], None]) -> None:
        """Run ``work`` there, then ``done`` with its result on the owner's thread."""


class Sweep(Protocol):
    """Probes addresses with real packets; waits for the network, so not on the owner's thread."""

    def __call__(
        self,
        targets: Sequence[str],
        protocols: Sequence[str],
        snmp: Snmp,
        cancel: threading.Event,
        *,
        pace: Pace,
        answering_only: bool,
    ) -> SweepResult:
        """Return what answered; never raises: a probe's failure is part of the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Endpoint):
    """One controller and all that it works with.

    ``epoch`` is that of this start, ``process_label`` names the process. ``fallen_back``
    returns True while a fallback is active that the other controllers may not use. ``subscribe``
    adds a topic filter to those of this controller.
    """

    epoch: int
    process_label: str
    background: Background
    sweep: Sweep
    subscribe: Callable[[str], None]
    fallen_back: Callable[[], bool] = lambda: False


class Controller(Consumer, Protocol):
    """A controller of one role. Owner's thread only."""

    def start(self) -> None:
        """Resume from the store, before the first connection."""

    def connected(self) -> None:
        """Handle that a transport is up."""

    def disconnected(self) -> None:
        """Handle that no transport is up."""

    def reconfigured(self, before: Topology, removed: frozenset[str]) -> None:
        """Go by the context's topology, which was ``before`` until now.

        ``removed`` are controllers that have ended for good: nothing of them may stay.
        """

    def stop(self) -> None:
        """End running work and stage what is not yet published; nothing is called afterwards."""

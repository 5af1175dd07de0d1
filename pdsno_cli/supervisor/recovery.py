"""Measures a drill from samples of a run's state: fallback, recovery, waiting messages; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Seconds that a recovery must last: a frozen controller notices a lost connection late.
SETTLED = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSample:
    """One controller at one moment."""

    state: str
    transport: str | None
    pid: int | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All controllers ``at`` seconds after a fault began; ``over`` is its end, None before it."""

    at: float
    over: float | None
    controllers: Mapping[str, ControllerSample]


@dataclass(slots=True, kw_only=True)
class Outage:
    """The time that a running controller was without its transport, in seconds since the fault began.

    ``transport`` is the one over which it became ready again.
    """

    lost: float
    again: float | None = None
    transport: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The result of a drill; seconds, and numbers of messages.

    ``fallback`` is None if no running controller lost its transport, and infinite while one is
    without. ``recovery`` counts from the end of the fault; None before the recovery.
    """

    fallback: float | None
    recovery: float | None
    delayed: int
    outages: Mapping[str, Outage]


class RecoveryMeter:
    """Measures one drill from its samples, the first of them from before the fault.

    ``victim`` is the controller with the fault, None for the broker; ``preferred`` the transport
    that all return to.
    """

    def __init__(self, before: Sample, *, victim: str | None, preferred: str) -> None:
        self._preferred = preferred
        self._transports = {
            name: (seen.pid, seen.transport)
            for name, seen in before.controllers.items()
            if name != victim and seen.state == "ready"
        }
        self._outages: dict[str, Outage] = {}
        self._most = 0
        self._since: float | None = None  # since when all are ready on the preferred transport
        self._undrained: set[str] = set()
        self._recovery: float | None = None
        self._last = before
        self.done = False

    def add(self, sample: Sample) -> None:
        """Update the measures with the next sample."""
        self._last = sample
        self._most = max(self._most, sum(seen.waiting for seen in sample.controllers.values()))
        for name, seen in sample.controllers.items():
            self._update_outage(sample.at, name, seen)
        if sample.over is not None:
            self._recover(sample, sample.over)

    @property
    def measured(self) -> Measured:
        """The measures of the samples so far."""
        times = [
            math.inf if outage.again is None else outage.again for outage in self._outages.values()
        ]
        return Measured(
            fallback=max(times, default=None),
            recovery=self._recovery if self.done else None,
            delayed=self._most,
            outages=self._outages,
        )

    @property
    def missing(self) -> str:
        """The controllers that are not recovered in the last sample, with their state."""
        wrong = [
            f"{name} is {seen.state}" + (f" over {seen.transport}" if seen.transport else "")
            for name, seen in self._last.controllers.items()
            if not self._is_back(seen)
        ]
        wrong += [
            f"{name} has {seen.waiting} waiting"
            for name, seen in self._last.controllers.items()
            if self._is_back(seen) and name in self._undrained
        ]
        return ", ".join(wrong) or "the recovery did not last long enough"

    def _update_outage(self, at: float, name: str, seen: ControllerSample) -> None:
        pid, transport = self._transports.get(name, (None, None))
        if pid is None:
            return
        if seen.pid != pid:  # it ended: not an outage of its transport alone
            self._outages.pop(name, None)
            del self._transports[name]
            return
        ready = seen.state == "ready"
        outage = self._outages.get(name)
        if outage is None and not (ready and seen.transport == transport):
            outage = self._outages[name] = Outage(lost=at)
        if outage is not None and outage.again is None and ready:
            outage.again, outage.transport = at, seen.transport

    def _recover(self, sample: Sample, over: float) -> None:
        """Find the moment from which all are recovered, and whether that lasts.

        The outboxes of a large topology are never all empty at the same time: each has to have
        been empty once since that moment.
        """
        if not all(self._is_back(seen) for seen in sample.controllers.values()):
            self._since = self._recovery = None
            return
        if self._since is None:
            self._since = sample.at
            self._undrained = set(sample.controllers)
        self._undrained -= {name for name, seen in sample.controllers.items() if not seen.waiting}
        if not self._undrained:
            if self._recovery is None:
                self._recovery = max(sample.at - over, 0.0)
            self.done = sample.at - self._since >= SETTLED

    def _is_back(self, seen: ControllerSample) -> bool:
        return seen.state == "ready" and seen.transport == self._preferred


def measure(
    before: Sample, samples: Iterable[Sample], *, victim: str | None, preferred: str
) -> Measured:
    """Return the result of a drill from its samples in order of time."""
    meter = RecoveryMeter(before, victim=victim, preferred=preferred)
    for sample in samples:
        meter.add(sample)
    return meter.measured


def sample(report: Mapping[str, Any]) -> Sample:
    """Convert a ``status`` report to a sample; one without a fault is from before it."""
    fault = report.get("fault", {"age": 0.0, "over": None})
    return Sample(
        at=fault["age"],
        over=fault["over"],
        controllers={
            row["id"]: ControllerSample(
                state=row["state"],
                transport=row["transport"],
                pid=row["pid"],
                waiting=row["waiting"],
            )
            for row in report["controllers"]
        },
    )

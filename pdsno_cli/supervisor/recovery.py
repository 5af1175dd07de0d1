"""Measures a drill from samples of the state of a run: fallback, recovery, what waited; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETTLED = (
    2.0  # seconds of being ready that are a recovery: who was frozen notices late what it lost
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSample:
    """One controller at one moment."""

    state: str
    transport: str | None
    pid: int | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All controllers ``at`` seconds after a fault began; ``over`` is when it ended, if it has."""

    at: float
    over: float | None
    controllers: Mapping[str, ControllerSample]


@dataclass(slots=True, kw_only=True)
class Outage:
    """The time that a living controller was without its carrier, in seconds since the fault began.

    ``transport`` is what it was ready over again.
    """

    lost: float
    again: float | None = None
    transport: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a drill came to; seconds, and messages.

    ``fallback`` is None where no living controller lost its carrier, and infinite while one that
    did has none. ``recovery`` counts from the end of the fault; None before there is one.
    """

    fallback: float | None
    recovery: float | None
    delayed: int
    outages: Mapping[str, Outage]


class RecoveryMeter:
    """Folds the samples of one drill, the first of them from before the fault.

    ``victim`` is the controller that the fault befalls, None for the broker; ``preferred`` the
    transport that all return to.
    """

    def __init__(self, before: Sample, *, victim: str | None, preferred: str) -> None:
        self._preferred = preferred
        self._carriers = {
            name: (seen.pid, seen.transport)
            for name, seen in before.controllers.items()
            if name != victim and seen.state == "ready"
        }
        self._outages: dict[str, Outage] = {}
        self._most = 0
        self._since: float | None = None  # when all came to be ready on the preferred transport
        self._undrained: set[str] = set()
        self._recovery: float | None = None
        self._last = before
        self.done = False

    def add(self, sample: Sample) -> None:
        """Take in the next sample."""
        self._last = sample
        self._most = max(self._most, sum(seen.waiting for seen in sample.controllers.values()))
        for name, seen in sample.controllers.items():
            self._carrier(sample.at, name, seen)
        if sample.over is not None:
            self._recover(sample, sample.over)

    @property
    def measured(self) -> Measured:
        """What the samples so far come to."""
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
        """Say what keeps the last sample from being a recovery."""
        wrong = [
            f"{name} is {seen.state}" + (f" over {seen.transport}" if seen.transport else "")
            for name, seen in self._last.controllers.items()
            if not self._back(seen)
        ]
        wrong += [
            f"{name} has {seen.waiting} waiting"
            for name, seen in self._last.controllers.items()
            if self._back(seen) and name in self._undrained
        ]
        return ", ".join(wrong) or "it was not ready for long enough"

    def _carrier(self, at: float, name: str, seen: ControllerSample) -> None:
        pid, transport = self._carriers.get(name, (None, None))
        if pid is None:
            return
        if seen.pid != pid:  # it ended: what it lost is not a carrier alone
            self._outages.pop(name, None)
            del self._carriers[name]
            return
        ready = seen.state == "ready"
        outage = self._outages.get(name)
        if outage is None and not (ready and seen.transport == transport):
            outage = self._outages[name] = Outage(lost=at)
        if outage is not None and outage.again is None and ready:
            outage.again, outage.transport = at, seen.transport

    def _recover(self, sample: Sample, over: float) -> None:
        """Look for the moment from which all is well, and whether it is well for long enough.

        All outboxes need not be empty in the same instant, which in a large topology at work
        they never are: each has to have been empty since.
        """
        if not all(self._back(seen) for seen in sample.controllers.values()):
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

    def _back(self, seen: ControllerSample) -> bool:
        return seen.state == "ready" and seen.transport == self._preferred


def measure(
    before: Sample, samples: Iterable[Sample], *, victim: str | None, preferred: str
) -> Measured:
    """Return what a drill came to, from its samples in order of time."""
    meter = RecoveryMeter(before, victim=victim, preferred=preferred)
    for sample in samples:
        meter.add(sample)
    return meter.measured


def sample(report: Mapping[str, Any]) -> Sample:
    """Return the sample that a ``status`` report is; without a fault, one from before it."""
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

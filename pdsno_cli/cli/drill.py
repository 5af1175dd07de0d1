"""One drill of ``pdsno fault``: injects the fault, samples the run until it recovers, prints the result.

The supervisor ends the fault; this module samples, and lifts the fault on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli import console
from pdsno_cli.cli.args import (
    COUNTS,
    DURATIONS,
    Bound,
    exceeded,
    format_measure,
    require_controller,
)
from pdsno_cli.cli.table import table
from pdsno_cli.model.errors import OperationError, PdsnoError, UsageError
from pdsno_cli.model.transports import FACTS
from pdsno_cli.supervisor.control import ask
from pdsno_cli.supervisor.recovery import Measured, RecoveryMeter, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_INTERVAL = 0.1  # seconds between two samples, at least
_PAUSES = 4  # times the duration of a sample, at least, until the next
_DONE = {"kill": "killed", "freeze": "frozen", "drop": "cut off"}


def check(topology: Topology, victim: str | None) -> None:
    """Raise UsageError unless the victim is a controller of the topology, or its embedded broker."""
    if victim is None:
        if not topology.broker.embedded:
            raise UsageError(
                f"faults can be injected into an embedded broker only; {topology.name} uses an external one"
            )
    else:
        require_controller(topology, victim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One fault and the bounds of its recovery; ``seconds`` 0 is a kill without a hold.

    ``target`` is ``broker``, ``controller`` or ``link``; ``victim`` the controller, None for the
    broker.
    """

    topology: Topology
    state: StateDir
    target: str
    victim: str | None
    action: str
    seconds: float
    bounds: Sequence[Bound]

    def run(self, limit: float, *, as_json: bool) -> None:
        """Run the drill and print its result.

        Raises OperationError when the topology has not recovered ``limit`` seconds after the end
        of the fault, when a bound is exceeded, or when a message was lost or applied twice.
        """
        before = ask(self.state.control, {"op": "status"})
        chain = self.topology.fallbacks
        meter = RecoveryMeter(
            sample(before),
            victim=self.victim,
            preferred=next((name for name in chain if FACTS[name].between_processes), chain[0]),
        )
        if not before["ready"]:
            console.progress("not every controller is ready: the measured recovery includes that")
        token = uuid.uuid4().hex
        try:
            self._begin(token)
            self._watch(token, meter, limit)
        except KeyboardInterrupt:
            self._lift(token)
            raise
        measured = meter.measured
        values = self._values(measured)
        broken = exceeded(self.bounds, values)
        if as_json:
            members = self._members(measured, values, broken)
            console.document(FORMAT_VERSION, self.topology.name, **members)
        else:
            most = {item.key: item.text.removeprefix(item.key) for item in self.bounds}
            console.data(
                table(
                    ("measure", "value", "bound"),
                    [
                        (key, format_measure(key, value), most.get(key, ""))
                        for key, value in values.items()
                    ],
                )
            )
        failures = [
            f"{item.key} is {format_measure(item.key, values[item.key])}, above the bound {item.text}"
            for item in broken
            if meter.done or item.key != "recovery"  # reported below
        ]
        if not meter.done:
            failures.insert(0, f"not recovered within {limit:g} s: {meter.missing}")
        if failures:
            raise OperationError("; ".join(failures))

    def _begin(self, token: str) -> None:
        request = {"victim": self.victim, "action": self.action, "seconds": self.seconds}
        ask(self.state.control, {"op": "fault", "token": token, **request})
        name = self.victim or "the broker"
        duration = f" for {self.seconds:g} s" if self.seconds else ""
        console.progress(f"{name}: {_DONE[self.action]}{duration}")

    def _watch(self, token: str, meter: RecoveryMeter, limit: float) -> None:
        """Sample the run until it has recovered, or for ``limit`` seconds from the fault's end."""
        over: float | None = None
        while not meter.done:
            began = time.monotonic()
            try:
                report = ask(self.state.control, {"op": "status", "fault": token})
            except PdsnoError as exc:
                raise OperationError(f"the drill was aborted: {exc}") from exc
            now = sample(report)
            meter.add(now)
            if now.over is not None:
                if over is None:
                    over = now.over
                    console.progress(f"the fault was over after {over:.2f} s")
                if now.at - over > limit:
                    return
            # A large topology takes longer to report: the drill must not load it.
            time.sleep(max(_INTERVAL, _PAUSES * (time.monotonic() - began)))

    def _lift(self, token: str) -> None:
        """Lift the fault now; if that fails, the supervisor lifts it when its time is over."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave it half done
        with contextlib.suppress(PdsnoError):
            ask(self.state.control, {"op": "lift", "token": token}, timeout=5)
            console.progress("interrupted: the fault is lifted")

    def _values(self, measured: Measured) -> dict[str, float | None]:
        """Return each measure by its key; lost and twice as ``pdsno audit`` counts them."""
        from pdsno_cli.client.audit import accounts

        found, missing = accounts(self.topology, self.state)
        if missing:
            raise OperationError(
                f"no store of {', '.join(missing)} on this machine: losses cannot be counted"
            )
        recovery = math.inf if measured.recovery is None else measured.recovery
        numbers = (
            measured.fallback,
            recovery,
            measured.delayed,
            sum(item.lost for item in found),
            sum(item.twice for item in found),
        )
        return dict(zip((*DURATIONS, *COUNTS), numbers, strict=True))

    def _members(
        self, measured: Measured, values: dict[str, float | None], broken: Sequence[Bound]
    ) -> dict[str, Any]:
        return {
            "fault": {
                "target": self.target,
                "controller": self.victim,
                "action": self.action,
                "seconds": self.seconds,
            },
            "recovered": measured.recovery is not None,
            **{key: _number(value) for key, value in values.items()},
            "without_carrier": [
                {
                    "id": name,
                    "lost_after": _number(outage.lost),
                    "ready_after": _number(outage.again),
                    "transport": outage.transport,
                }
                for name, outage in measured.outages.items()
            ],
            "broken": [item.text for item in broken],
        }


def _number(value: float | None) -> float | None:
    """Return a value for JSON, which has no infinity: null means never."""
    return None if value is None or math.isinf(value) else round(value, 3)

"""One drill of ``pdsno fault``: ask for the fault, watch the run until it is well, tell the result.

The fault ends by itself, in the supervisor; what is here watches, and lifts it on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
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
_EVERY = 0.1  # seconds between two looks
_SHARE = 4  # of the time, at most one part in so many and one is spent on looking
_DONE = {"kill": "killed", "freeze": "frozen", "drop": "cut off"}


def check(topology: Topology, victim: str | None) -> None:
    """UsageError where a controller is not of the topology, or the broker, None, is not ours."""
    if victim is None:
        if not topology.broker.embedded:
            raise UsageError(
                f"faults can be injected into an embedded broker only; {topology.name} uses an external one"
            )
    else:
        require_controller(topology, victim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One fault and what is expected of the recovery; ``seconds`` 0 is a kill with no hold.

    ``target`` is what it befalls: the broker, a controller, or the link of one.
    """

    topology: Topology
    state: StateDir
    target: str
    victim: str | None
    action: str
    seconds: float
    bounds: Sequence[Bound]

    def run(self, patience: float, *, as_json: bool) -> None:
        """Have the drill and print what it came to.

        OperationError when the topology is not well within ``patience`` seconds of the fault's
        end, when a bound is broken, or when anything was lost or applied twice.
        """
        before = ask(self.state.control, {"op": "status"})
        chain = self.topology.fallbacks
        meter = RecoveryMeter(
            sample(before),
            victim=self.victim,
            preferred=next((name for name in chain if FACTS[name].between_processes), chain[0]),
        )
        if not before["ready"]:
            console.progress("not every controller is ready: the drill measures that, too")
        token = uuid.uuid4().hex
        try:
            self._begin(token)
            self._watch(token, meter, patience)
        except KeyboardInterrupt:
            self._lift(token)
            raise
        measured = meter.measured
        values = self._values(measured)
        wrong = exceeded(self.bounds, values)
        if as_json:
            console.data(json.dumps(self._json(measured, values, wrong), indent=2))
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
            f"{item.key} is {format_measure(item.key, values[item.key])}, which breaks {item.text}"
            for item in wrong
            if meter.done or item.key != "recovery"  # said below
        ]
        if not meter.done:
            failures.insert(0, f"not recovered within {patience:g} s: {meter.missing}")
        if failures:
            raise OperationError("; ".join(failures))

    def _begin(self, token: str) -> None:
        request = {"victim": self.victim, "action": self.action, "seconds": self.seconds}
        ask(self.state.control, {"op": "fault", "token": token, **request})
        name = self.victim or "the broker"
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        console.progress(f"{name}: {_DONE[self.action]}{lasting}")

    def _watch(self, token: str, meter: RecoveryMeter, patience: float) -> None:
        """Look at the run until it is well, or for ``patience`` seconds from the fault's end."""
        over: float | None = None
        while not meter.done:
            began = time.monotonic()
            try:
                report = ask(self.state.control, {"op": "status", "fault": token})
            except PdsnoError as exc:
                raise OperationError(f"the drill was cut short: {exc}") from exc
            now = sample(report)
            meter.add(now)
            if now.over is not None:
                if over is None:
                    over = now.over
                    console.progress(f"the fault was over after {over:.2f} s")
                if now.at - over > patience:
                    return
            # A large topology takes longer to tell: the drill must not be a load itself.
            time.sleep(max(_EVERY, _SHARE * (time.monotonic() - began)))

    def _lift(self, token: str) -> None:
        """Lift the fault now; where that fails, it ends by itself when its time is over."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave it half done
        with contextlib.suppress(PdsnoError):
            ask(self.state.control, {"op": "lift", "token": token}, timeout=5)
            console.progress("interrupted: the fault is lifted")

    def _values(self, measured: Measured) -> dict[str, float | None]:
        """Return each measure by its key; lost and twice as ``pdsno audit`` counts them."""
        from pdsno_cli.client.audit import accounts

        found, missing = accounts(self.topology, self.state)
        if missing:
            raise OperationError(f"no store here of {', '.join(missing)}: losses cannot be counted")
        recovery = math.inf if measured.recovery is None else measured.recovery
        numbers = (
            measured.fallback,
            recovery,
            measured.delayed,
            sum(item.lost for item in found),
            sum(item.twice for item in found),
        )
        return dict(zip((*DURATIONS, *COUNTS), numbers, strict=True))

    def _json(
        self, measured: Measured, values: dict[str, float | None], wrong: Sequence[Bound]
    ) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "topology": self.topology.name,
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
            "broken": [item.text for item in wrong],
        }


def _number(value: float | None) -> float | None:
    """Return a value for JSON, which knows no infinity: null is never."""
    return None if value is None or math.isinf(value) else round(value, 3)

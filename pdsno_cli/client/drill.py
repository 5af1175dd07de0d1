"""One drill: injects a fault into a run, and samples the run until it has recovered.

The supervisor ends the fault; this module samples, and lifts the fault on Ctrl-C.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError, PdsnoError
from pdsno_cli.model.transports import FACTS
from pdsno_cli.supervisor.control import ask
from pdsno_cli.supervisor.recovery import Measured, RecoveryMeter, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_INTERVAL = 0.1  # seconds between two samples, at least
_PAUSES = 4  # times the duration of a sample, at least, until the next
_DONE = {"kill": "killed", "freeze": "frozen", "drop": "cut off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillResult:
    """The measures of a drill; ``recovery`` is infinite if there was none, and ``missing`` says why.

    ``lost`` and ``twice`` are as ``pdsno audit`` counts them: of all messages that were ever sent.
    """

    measured: Measured
    recovery: float
    lost: int
    twice: int
    missing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One fault; ``seconds`` 0 is a kill without a hold.

    ``victim`` is the controller, None for the broker. ``on_progress`` is called with each line.
    """

    topology: Topology
    state: StateDir
    victim: str | None
    action: str
    seconds: float
    on_progress: Callable[[str], None]

    def run(self, limit: float) -> DrillResult:
        """Run the drill until the topology has recovered, or ``limit`` seconds after the fault's end.

        Raises OperationError when it cannot be run to its end.
        """
        before = ask(self.state.control, {"op": "status"})
        chain = self.topology.fallbacks
        meter = RecoveryMeter(
            sample(before),
            victim=self.victim,
            preferred=next((name for name in chain if FACTS[name].between_processes), chain[0]),
        )
        if not before["ready"]:
            self.on_progress("not every controller is ready: the measured recovery includes that")
        token = uuid.uuid4().hex
        try:
            self._begin(token)
            self._watch(token, meter, limit)
        except KeyboardInterrupt:
            self._lift(token)
            raise
        return self._result(meter)

    def _begin(self, token: str) -> None:
        request = {"victim": self.victim, "action": self.action, "seconds": self.seconds}
        ask(self.state.control, {"op": "fault", "token": token, **request})
        name = self.victim or "the broker"
        duration = f" for {self.seconds:g} s" if self.seconds else ""
        self.on_progress(f"{name}: {_DONE[self.action]}{duration}")

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
                    self.on_progress(f"the fault was over after {over:.2f} s")
                if now.at - over > limit:
                    return
            # A large topology takes longer to report: the drill must not load it.
            time.sleep(max(_INTERVAL, _PAUSES * (time.monotonic() - began)))

    def _lift(self, token: str) -> None:
        """Lift the fault now; if that fails, the supervisor lifts it when its time is over."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave it half done
        with contextlib.suppress(PdsnoError):
            ask(self.state.control, {"op": "lift", "token": token}, timeout=5)
            self.on_progress("interrupted: the fault is lifted")

    def _result(self, meter: RecoveryMeter) -> DrillResult:
        from pdsno_cli.client.audit import accounts

        found, missing = accounts(self.topology, self.state)
        if missing:
            raise OperationError(
                f"no store of {', '.join(missing)} on this machine: losses cannot be counted"
            )
        measured = meter.measured
        return DrillResult(
            measured=measured,
            recovery=math.inf if measured.recovery is None else measured.recovery,
            lost=sum(item.lost for item in found),
            twice=sum(item.twice for item in found),
            missing=None if meter.done else meter.missing,
        )

"""Injects faults into a run, and lifts each when its time is over.

The timer runs here and not in the command that asked, so that nothing stays frozen if that ends.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
    from pdsno_cli.supervisor.partition import Partition
    from pdsno_cli.supervisor.spawner import Spawner

ACTIONS = ("kill", "freeze", "drop")


@dataclass(slots=True)
class _Fault:
    """One fault; ``victim`` is a controller, None for the broker. Times are monotonic seconds."""

    victim: str | None
    action: str
    began: float
    over: float | None = None
    timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self.victim or "the broker"


class Faults:
    """The faults of one run, by the token of the request. Event-loop thread only."""

    def __init__(
        self,
        *,
        controllers: Iterable[str],
        broker: BrokerSupervisor,
        spawner: Spawner,
        partition: Partition,
        restart: Callable[[str], None],
        state_of: Callable[[str], str],
        announce: Callable[[str], None],
    ) -> None:
        self.controllers = frozenset(controllers)
        self._broker = broker
        self._spawner = spawner
        self._partition = partition
        self._restart = restart
        self._state_of = state_of
        self._announce = announce
        self._faults: dict[str, _Fault] = {}
        self._closed = False

    def begin(self, request: dict[str, Any]) -> dict[str, Any]:
        """Inject a fault; raises OperationError when that is impossible.

        ``seconds`` is its duration; 0 only for a kill, after which the victim is restarted as
        after any other end.
        """
        victim, action, seconds = request["victim"], request["action"], float(request["seconds"])
        if self._closed:  # nothing would lift it
            raise OperationError("the topology is going down")
        if action not in ACTIONS or not (seconds > 0 or action == "kill"):
            raise OperationError(f"unknown fault {action!r} for {seconds:g} s")
        if victim is not None and victim not in self.controllers:
            raise OperationError(f"no controller {victim!r} runs here")
        if victim is None and action == "drop":
            raise OperationError("drop needs a controller: the broker has no link of its own")
        if victim is None and not self._broker.embedded:
            raise OperationError(
                "faults can be injected into an embedded broker only; this run uses an external one"
            )
        fault = _Fault(victim, action, time.monotonic())
        if self._open(victim) is not None:
            raise OperationError(f"{fault.name} has a fault already: wait until that is over")
        self._inject(fault, seconds)
        self._faults[request["token"]] = fault
        if seconds:
            fault.timer = asyncio.get_running_loop().call_later(seconds, self._end, fault)
        elif victim is None:
            fault.over = fault.began  # a controller's end comes through ``ended``
        duration = f" for {seconds:g} s" if seconds else ""
        self._announce(f"fault: {action} {fault.name}{duration}")
        return {"begun": True}

    def lift(self, token: str) -> dict[str, Any]:
        """End a fault before its time; harmless when it is over or unknown."""
        fault = self._faults.get(token)
        if fault is not None:
            self._end(fault)
        return {"lifted": fault is not None}

    def ended(self, name: str) -> bool:
        """Note that a controller's process ended; return True if the fault holds its restart."""
        fault = self._open(name)
        if fault is None or fault.action == "drop":  # the link stays cut
            return False
        if fault.action == "kill" and fault.timer is not None:
            return True
        self._end(fault)
        return False

    def age(self, token: str) -> dict[str, float | None]:
        """Return the seconds since a fault began, and its duration once it is over."""
        fault = self._faults.get(token)
        if fault is None:
            raise OperationError("there was no such fault in this run")
        over = None if fault.over is None else fault.over - fault.began
        return {"age": time.monotonic() - fault.began, "over": over}

    def end_of(self, name: str) -> None:
        """End the fault of a controller that is to stop: a frozen one cannot handle SIGTERM."""
        fault = self._open(name)
        if fault is not None:
            self._end(fault)

    def close(self) -> None:
        """Lift every fault and refuse new ones: a frozen process cannot handle SIGTERM."""
        self._closed = True
        for fault in self._faults.values():
            self._end(fault)

    def _open(self, victim: str | None) -> _Fault | None:
        return next(
            (item for item in self._faults.values() if item.victim == victim and item.over is None),
            None,
        )

    def _inject(self, fault: _Fault, seconds: float) -> None:
        if fault.victim is not None and fault.action == "drop":
            self._partition.cut(fault.victim)
            return
        number = signal.SIGKILL if fault.action == "kill" else signal.SIGSTOP
        if fault.victim is not None:
            done = self._spawner.signal(fault.victim, number)
        else:
            done = self._broker.signal(number)
            if done and seconds and fault.action == "kill":
                self._broker.suspend_restart()
        if not done:
            raise OperationError(self._absence(fault.victim))

    def _absence(self, victim: str | None) -> str:
        """Return why a victim has no process, and what to do."""
        if victim is None:
            return (
                "the broker has no process at the moment: try again once pdsno status shows it up"
            )
        match state := self._state_of(victim):
            case "stopped":
                return f"{victim} is stopped: start it with pdsno start {victim}"
            case "failed":
                return (
                    f"{victim} was given up: pdsno status shows why; "
                    f"start it again with pdsno start {victim}"
                )
            case _:
                return f"{victim} has no process, it is {state}: wait with pdsno wait --for ready"

    def _end(self, fault: _Fault) -> None:
        """Lift a fault; the one place where a fault ends."""
        if fault.over is not None:
            return
        timed = fault.timer is not None
        if fault.timer is not None:
            fault.timer.cancel()
        fault.over = time.monotonic()
        match fault.action, fault.victim:
            case "freeze", None:
                self._broker.signal(signal.SIGCONT)
            case "freeze", str(name):
                self._spawner.signal(name, signal.SIGCONT)
            case "drop", str(name):
                self._partition.mend(name)
            case "kill", None:
                self._broker.resume_restart()
            case "kill", str(name) if timed:
                self._restart(name)
        if timed:
            self._announce(f"the fault of {fault.name} is over")

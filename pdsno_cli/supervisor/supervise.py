"""Runs a topology as processes: start in order, watch, restart, stop in order.

One asyncio loop on the main thread owns everything here.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import LabError, OperationError
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.model.roles import Role
from pdsno_cli.runtime.child import EXIT_LATER, LAB, Job
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import last_lines
from pdsno_cli.runtime.supervisor_pipe import decode_notice
from pdsno_cli.supervisor.backoff import restart_delay
from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
from pdsno_cli.supervisor.child import MAX_FAILURES, Child, ChildState
from pdsno_cli.supervisor.control import ControlServer
from pdsno_cli.supervisor.ending import Ending
from pdsno_cli.supervisor.faults import Faults
from pdsno_cli.supervisor.lab_line import LabLine
from pdsno_cli.supervisor.partition import Partition
from pdsno_cli.supervisor.progress import Progress
from pdsno_cli.supervisor.report import Broker, status_report
from pdsno_cli.supervisor.spawner import Spawner
from pdsno_cli.supervisor.waiting import done_before
from pdsno_cli.system.interrupts import on_interrupt

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.observer import Observer

_NEVER_SERVED = 2  # fork servers that end before they are of use: not a third time
_STOP_ORDER = (Role.LOCAL, Role.REGIONAL, Role.GLOBAL)


class Supervisor:
    """One run of one topology; the caller holds the state directory's lock."""

    def __init__(
        self,
        topology: Topology,
        state: StateDir,
        key: bytes,
        observer: Observer,
        *,
        cycles: int | None = None,
    ) -> None:
        self._topology = topology
        self._state = state
        self._observer = observer
        self._progress = Progress(topology, observer, cycles)
        self.board = self._progress.board
        self._broker = BrokerSupervisor(
            topology,
            key,
            self._observer.said,
            fallback="HTTP" if topology.uses("http") else None,
        )
        self._broker.all_on_it = self.board.all_on_broker
        self._key = key
        self._spawner = Spawner(state, self)
        self._lab = LabLine(self._spawner)
        self._sources = own_addresses(topology, state)
        self._partition = Partition(self._sources, self._observer.said)
        self._faults = Faults(
            controllers=topology.controllers,
            broker=self._broker,
            spawner=self._spawner,
            partition=self._partition,
            restart=self._restart,
            say=self._observer.said,
        )
        self._children: dict[str, Child] = {}
        self._changes = asyncio.Event()
        self._stop = asyncio.Event()
        self._failure: str | None = None
        self._losses = 0  # of fork servers, since a controller was ready

    async def run(self) -> None:
        """Run until stopped, or until the cycles asked for are committed at the top.

        OperationError, naming what failed with its last log lines, when the run had to end.
        Nothing is left running afterwards, however this ends.
        """
        on_interrupt(asyncio.get_running_loop(), self._interrupt)
        control = ControlServer(self._state.control, self._answer)
        try:
            self._spawner.start()  # it imports while the broker starts
            self._partition.mend_all()
            if await done_before(self._stop, self._broker.start()):
                self._spawner.give(
                    Job(
                        topology=self._topology,
                        state=self._state,
                        key=self._key,
                        broker=self._broker.access,
                        sources=self._sources,
                    )
                )
                await control.start()
                self._observer.began(self.board, self._broker.text)
                if self._topology.lab is not None:
                    await self._start_lab()
                for name in self.board.rows:
                    self._start(name)
                await self._stop.wait()
        finally:
            await self._end(control)
        if self._failure is not None:
            raise OperationError(self._failure)

    def stop(self) -> None:
        """End the run, as wanted."""
        self._stop.set()

    # What the fork server's children do.

    def started(self, name: str, pid: int) -> None:
        """A child runs; one that is no longer wanted by then is asked to stop at once."""
        child = self._children[name]
        child.started(pid)
        if not child.wanted:
            self._spawner.signal(name, signal.SIGTERM)

    def said(self, name: str, line: bytes) -> None:
        """A child told something."""
        if name == LAB:
            self._lab.hear(line)
            return
        notice = decode_notice(line)
        self._progress.take(notice)
        if isinstance(notice, StateNotice) and notice.state == "ready":
            self._children[name].settled()
            self._losses = 0
        if self._progress.done:
            self._stop.set()

    def not_started(self, name: str, reason: str) -> None:
        """A child could not be forked: try again later."""
        child = self._children[name]
        delay = child.ended(EXIT_LATER)
        if delay is not None:
            self._start_after(delay, name, f"{name} cannot be started: {reason}; trying again")

    def ended(self, name: str, status: int | None) -> None:
        """A child is no more: start it again, or give it up."""
        child = self._children[name]
        if self._stop.is_set():
            child.give_up()  # a signal to the whole group may reach children first
        delay = child.ended(status)
        kept_away = self._faults.ended(name)
        if child.state is ChildState.FAILED:
            self._give_up(child)
        elif kept_away:
            self._observer.said(f"{name} {child.end_text()}, as the drill wants")
        elif delay is not None:
            self._start_after(delay, name, f"{name} {child.end_text()}; starting it again")

    def lost(self, reason: str, *, served: bool) -> None:
        """The fork server is gone, and every child with it: start another, unless that is vain."""
        self._losses += 1
        if self._stop.is_set():
            for child in self._children.values():
                child.ended(None)
            return
        if self._losses >= (MAX_FAILURES if served else _NEVER_SERVED):
            self._fail(f"the fork server ends each time it is started: {reason}")
            return
        delay = restart_delay(self._losses)
        asyncio.get_running_loop().call_later(delay, self._start_spawner)
        for name, child in self._children.items():
            if child.alive:
                self._spawner.withdraw(name)  # it is asked for again in its time
                self.ended(name, None)
        self._observer.said(f"the fork server is gone ({reason}); starting another")

    # How it is done.

    async def _start_lab(self) -> None:
        self._start(LAB)
        if not await done_before(self._stop, self._lab.ready()) and self._failure is not None:
            raise LabError(self._failure)

    def _start(self, name: str) -> None:
        if not self._stop.is_set():
            child = self._children.setdefault(name, Child(name, self._changed))
            child.requested()
            self._spawner.spawn(name)

    def _start_after(self, delay: float, name: str, why: str) -> None:
        asyncio.get_running_loop().call_later(delay, self._start, name)
        self._observer.said(f"{why} in {delay:.1f} s")

    def _start_spawner(self) -> None:
        if not self._stop.is_set():
            try:
                self._spawner.start()
            except (OperationError, OSError) as exc:
                self._fail(f"the fork server cannot be started again: {exc}")

    def _fail(self, reason: str) -> None:
        """End the run, for the first reason given."""
        self._failure = self._failure or reason
        self._stop.set()

    def _restart(self, name: str) -> None:
        """Start a child that a drill kept away."""
        if self._children[name].state is ChildState.WAITING:
            self._start(name)

    def _changed(self, child: Child) -> None:
        """Keep the board and whoever waits up to date with a child's transition."""
        row = self.board.rows.get(child.name)
        if row is not None:
            row.pid = child.pid
            row.restarts = child.restarts
            if not child.alive:
                row.state = "restarting" if child.state is ChildState.WAITING else child.state.value
        self._changes.set()

    def _give_up(self, child: Child) -> None:
        """Note a child that restarting will not mend: the run ends as failed.

        At once while it starts up, or where it waits for everybody's cycles; else when stopped,
        since the others can go on.
        """
        row = self.board.rows.get(child.name)
        why = row.detail if row is not None and row.detail else child.end_text()
        text = f"{child.name}: {why}"
        tail = "".join(f"\n  {line}" for line in last_lines(self._state.log(child.name)))
        self._failure = self._failure or (
            text + (f"\n  last lines of its log:{tail}" if tail else "")
        )
        others = [item for item in self._children.values() if item.name != LAB]
        if (
            not self._progress.ready
            or self._progress.cycles is not None
            or all(item.state is ChildState.FAILED for item in others)
        ):
            self._stop.set()
        self._observer.said(f"{text}; given up")

    async def _end(self, control: ControlServer) -> None:
        """Stop children before parents, then the lab, the fork server and the broker."""
        self._stop.set()
        self._faults.close()
        self._broker.signal(signal.SIGCONT)  # stopped by hand, it would hold up every farewell
        tiers = [
            [row.controller_id for row in self.board.rows.values() if row.role is role]
            for role in _STOP_ORDER
        ]
        await Ending(
            children=self._children,
            spawner=self._spawner,
            changes=self._changes,
            say=self._observer.said,
        ).run([*tiers, [LAB]])
        await self._spawner.close()
        await self._broker.stop()
        await control.close()

    def _interrupt(self) -> None:
        """The first time, stop in order; the second time, at once."""
        if not self._stop.is_set():
            self._stop.set()
            self._observer.said("stopping; Ctrl-C again ends everything at once")
            return
        self._partition.mend_all()
        self._spawner.kill()
        self._broker.kill()
        self._state.control.unlink(missing_ok=True)
        raise SystemExit(130)

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control socket."""
        match request["op"]:
            case "status":
                report = status_report(
                    self._topology.name,
                    self.board,
                    Broker(
                        text=self._broker.text,
                        port=self._broker.access.addresses[0].port,
                        state=self._broker.state,
                    ),
                )
                if "fault" in request:
                    report["fault"] = self._faults.age(request["fault"])
                return report
            case "fault":
                return self._faults.begin(request)
            case "lift":
                return self._faults.lift(request["token"])
            case "stop":
                self._stop.set()
                return {"stopping": True}
            case "lab":
                return await self._lab.ask(request)
            case other:
                raise OperationError(f"unknown request {other!r}")

"""Runs a topology, on any runner: start in order, watch, restart, stop in order.

One asyncio loop on the main thread owns everything here.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pdsno_cli.broker.embedded import require_free_port
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.notices import ReconfiguredNotice, StateNotice
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.runtime.child import LAB
from pdsno_cli.runtime.state_dir import last_lines
from pdsno_cli.supervisor.apply import Applier
from pdsno_cli.supervisor.board import Board
from pdsno_cli.supervisor.child import Child, ChildState
from pdsno_cli.supervisor.control import ControlServer
from pdsno_cli.supervisor.controller_orders import ControllerOrders
from pdsno_cli.supervisor.plane import Plane
from pdsno_cli.supervisor.requests import Requests
from pdsno_cli.supervisor.shutdown import Shutdown
from pdsno_cli.system.interrupts import on_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from pdsno_cli.model.notices import Notice
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.observer import Observer
    from pdsno_cli.supervisor.runner import ConvergingRunner

Result = TypeVar("Result")


class Supervisor:
    """One run of one topology; the caller holds the state directory's lock.

    ``plane`` is what runs, and remembers it; ``rebuild`` makes the runner of another topology, where
    all of it is replaced. ``cycles`` is the number of discovery cycles of each local controller after which the run ends,
    None for a run without end. Implements ``runner.RunnerListener``.
    """

    def __init__(
        self,
        topology: Topology,
        state: StateDir,
        observer: Observer,
        runner: ConvergingRunner,
        *,
        plane: Plane | None = None,
        rebuild: Callable[[Topology], ConvergingRunner] | None = None,
        cycles: int | None = None,
    ) -> None:
        self._state = state
        self._observer = observer
        self.runner = runner
        self._rebuild = rebuild
        self.plane = plane or Plane(topology, state, in_process=False)
        self._applier = Applier(self)
        self._cycles = cycles
        self.board = Board(topology)
        self.children: dict[str, Child] = {}
        self._changes = asyncio.Event()
        self._news = asyncio.Event()  # set at every notice and every transition
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stop = asyncio.Event()
        self._failures: dict[str, str] = {}  # by child, "" for the run; the first one counts
        self._began = time.monotonic()
        self._was_ready = False  # every controller, at the same time, once
        self.orders = self._controller_orders()

    async def run(self) -> None:
        """Run until stopped, or until ``cycles`` are committed at the top.

        Raises OperationError, naming what failed with its last log lines, when the run had to end.
        Nothing is left running afterwards, however this ends.
        """
        on_interrupt(asyncio.get_running_loop(), self._interrupt)
        control = ControlServer(
            self._state.control, Requests(self, self._applier, self._observer.on_message).answer
        )
        try:
            if await _done_before(self._stop, self.runner.open(self)):
                self.plane.begin()
                await control.start()
                self._observer.on_start(self.board, self.runner.broker.text)
                for name in self.board.rows:
                    self._start(name)
                await self._stop.wait()
        finally:
            self._stop.set()
            await self._shut_down()
            await control.close()
        for reason in self._failures.values():
            raise OperationError(reason)

    # The runner calls these.

    @property
    def stopping(self) -> bool:
        """True once the whole run stops."""
        return self._stop.is_set()

    def requested(self, name: str) -> None:
        """Start a child that does not run and was not given up."""
        child = self.children.get(name)
        if child is None and name != LAB and name not in self.board.rows:
            return  # it was removed meanwhile
        if child is None or child.state is ChildState.WAITING:
            self._start(name)

    def started(self, name: str, pid: int | None) -> None:
        """Note that a child runs; one that is no longer wanted is asked to stop."""
        child = self.children[name]
        child.started(pid)
        if not child.wanted:
            self.runner.stop(name)

    def noticed(self, notice: Notice) -> None:
        """Update the board with a controller's notice, and pass it to the observer."""
        if notice.controller_id not in self.board.rows:
            return  # it was removed meanwhile
        self._news.set()
        if isinstance(notice, ReconfiguredNotice):
            self._applier.confirmed(notice.controller_id, notice.number)
            return
        self.board.update(notice)
        self._observer.on_notice(notice)
        if isinstance(notice, StateNotice):
            if notice.state == "ready":
                self.children[notice.controller_id].became_ready()
            if not self._was_ready and self.board.ready():
                self._was_ready = True
                if self.plane.left:
                    self.keep(self._applier.forget(self.plane.left, self._observer.on_message))
                self._observer.on_ready(time.monotonic() - self._began)
        if self._cycles is not None and self.board.committed_everywhere(self._cycles):
            self._stop.set()

    def ended(
        self, name: str, status: int | None, *, reason: str | None = None, held: bool = False
    ) -> None:
        """Start a child again after a delay, or give it up."""
        child = self.children.get(name)
        if child is None:
            return
        if self._stop.is_set():
            child.expect_end()  # a signal to the whole process group may reach children first
        delay = child.ended(status)
        text = f"{name} {reason or child.end_text()}"
        if child.state is ChildState.FAILED:
            self._give_up(child)
        elif held:
            self._observer.on_message(f"{text}, held by the injected fault")
        elif delay is not None:
            asyncio.get_running_loop().call_later(delay, self.requested, name)
            if name in self.board.rows:
                self.board.rows[name].starts_at = time.monotonic() + delay
            again = f"in {delay:.1f} s" if delay else "now"
            self._observer.on_message(f"{text}; starting it again {again}")

    def failed(self, reason: str) -> None:
        """End the run, or what is being applied to it; the first reason counts."""
        if self._applier.busy:
            self._applier.failure = self._applier.failure or reason
            return
        self._failures.setdefault("", reason)
        self._stop.set()

    # The applier and the requests call these.

    def stop(self) -> None:
        """Stop the whole run in order."""
        self._stop.set()

    def keep(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run ``work`` as a task that ends with this run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def news(self, most: float) -> None:
        """Return at the next notice or transition of a child, at the latest after ``most`` seconds."""
        self._news.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), most)

    def start_child(self, name: str) -> None:
        """Start a controller as if for the first time."""
        self._start(name)

    async def stop_children(self, tiers: Iterable[Sequence[str]]) -> None:
        """Stop children tier by tier; the others go on."""
        await Shutdown(
            children=self.children,
            runner=self.runner,
            changes=self._changes,
            announce=self._observer.on_message,
        ).run(tiers)

    def discard(self, name: str) -> None:
        """Forget a child that has stopped."""
        self.children.pop(name, None)

    def rebuild(self, topology: Topology) -> ConvergingRunner:
        """Return the runner of another topology, for ``replace``; nothing of it runs yet.

        Raises PdsnoError if there cannot be one: the signing key is too short, or another process has the
        broker's port.
        """
        if self._rebuild is None:
            raise OperationError("this run cannot be replaced: end it with pdsno down")
        broker = topology.broker
        ours = (0, self.runner.broker.port, self.runner.broker.port_311, self.runner.broker.port_5)
        if broker.embedded and broker.port not in ours and not self.plane.in_process:
            require_free_port(broker.port)
        return self._rebuild(topology)

    async def replace(self, topology: Topology, runner: ConvergingRunner) -> None:
        """Stop everything, the broker too, and start another topology in its place.

        Raises OperationError when it cannot be started; nothing runs then.
        """
        old = self.plane.topology
        await self._stop_all()
        topics = [old.topics.status(name) for name in old.controllers]
        await self.runner.clear([*topics, *map(old.topics.policy, (GLOBAL, *old.regions))])
        await self.runner.close()
        self.children.clear()
        self.board, self._was_ready, self._began = Board(topology), False, time.monotonic()
        self.runner = runner
        self.orders = self._controller_orders()
        await self.runner.open(self)
        self._observer.on_start(self.board, self.runner.broker.text)
        for name in self.board.rows:
            self._start(name)

    def reason(self, name: str) -> str:
        """Return what is known of a controller that is not healthy, in one line."""
        row, child = self.board.rows.get(name), self.children[name]
        return (row.detail if row else None) or self._state_text(name, child)

    def failure_text(self, name: str) -> str:
        """Return what is known of a controller that is not healthy, with its last log lines."""
        text = f"{name}: {self.reason(name)}"
        tail = "".join(f"\n    {line}" for line in last_lines(self._state.log(name)))
        return text + (f"\n  last lines of its log:{tail}" if tail else "")

    def _state_text(self, name: str, child: Child) -> str:
        if not child.alive:
            return child.end_text()
        level, reason = self.board.health(self.board.rows[name])
        return reason or level

    # How it is done.

    def _start(self, name: str) -> None:
        if not self._stop.is_set():
            child = self.children.setdefault(name, Child(name, self._changed))
            child.requested()
            self.runner.start(name)

    def _controller_orders(self) -> ControllerOrders:
        return ControllerOrders(
            board=self.board,
            children=self.children,
            runner=self.runner,
            start=self._start_again,
            stopping=lambda: self.stopping,
            announce=self._observer.on_message,
        )

    def _start_again(self, name: str) -> None:
        """Start a child that was stopped or given up: its failure is no longer the run's."""
        self._failures.pop(name, None)
        self._start(name)

    def _changed(self, child: Child) -> None:
        """Update the board with a child's transition, and wake ``Shutdown``."""
        row = self.board.rows.get(child.name)
        if row is not None:
            row.pid = child.pid
            row.restarts = child.restarts
            row.starts_at = None
            if child.state is ChildState.STARTING:
                row.state, row.detail = "starting", None
            elif child.state is ChildState.WAITING:
                row.state, row.detail = "restarting", child.end_text()
            elif child.state is ChildState.STOPPED:
                row.state = "stopped"
                start = f"pdsno start {self.plane.topology.name} {child.name}"
                row.detail = None if self.stopping else f"by order; start it with {start}"
            elif child.state is ChildState.FAILED:
                row.state = "failed"
            if not child.alive:
                row.ready_at = None
        self._changes.set()
        self._news.set()

    def _give_up(self, child: Child) -> None:
        """Note a child that a restart cannot repair: the run ends as failed.

        It ends now while it starts up or counts cycles, else when stopped: the others can go on.
        """
        row = self.board.rows.get(child.name)
        text = f"{child.name}: {(row.detail if row else None) or child.end_text()}"
        if self._applier.busy:
            self._observer.on_message(f"{text}; given up")
            return
        tail = "".join(f"\n  {line}" for line in last_lines(self._state.log(child.name)))
        self._failures.setdefault(
            child.name, text + (f"\n  last lines of its log:{tail}" if tail else "")
        )
        controllers = [self.children[name] for name in self.board.rows if name in self.children]
        if (
            not self._was_ready
            or self._cycles is not None
            or all(item.state is ChildState.FAILED for item in controllers)
        ):
            self._stop.set()
        self._observer.on_message(f"{text}; given up")

    async def _shut_down(self) -> None:
        """Stop children before parents, then the lab, then what the runner holds."""
        for task in self._tasks:
            task.cancel()
        await self._stop_all()
        await self.runner.close()

    async def _stop_all(self) -> None:
        rows = self.board.rows
        tiers = [
            [name for name, row in rows.items() if row.role is role] for role in reversed(Role)
        ]
        await self.stop_children([*tiers, [name for name in self.children if name not in rows]])

    def _interrupt(self) -> None:
        """The first time, stop in order; the second time, at once."""
        if not self._stop.is_set():
            self._stop.set()
            self._observer.on_message("stopping; Ctrl-C again ends everything at once")
            return
        self._state.control.unlink(missing_ok=True)
        self.runner.kill()
        raise SystemExit(130)


async def _done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Return True once ``work`` is done, False when ``stop`` is set first: ``work`` is cancelled.

    Raises what ``work`` raises.
    """
    done = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((done, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not done.done():
        done.cancel()
        return False
    done.result()
    return True

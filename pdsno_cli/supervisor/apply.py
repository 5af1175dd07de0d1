"""Applies a plan to a run, step by step, and goes back where what was changed does not become healthy.

Children of a controller that changes are reconfigured before it is: a policy must find them ready. What
starts again does so one after the other, parents last.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError, PdsnoError
from pdsno_cli.model.roles import Role
from pdsno_cli.runtime.child import LAB
from pdsno_cli.runtime.environment import set_environment
from pdsno_cli.runtime.supervisor_pipe import encode_order
from pdsno_cli.spec.resolved import encode, require_secrets
from pdsno_cli.supervisor.changes import Kind
from pdsno_cli.supervisor.child import ChildState
from pdsno_cli.supervisor.open_files import open_files_needed, require_open_files
from pdsno_cli.supervisor.plan import make_plan
from pdsno_cli.supervisor.plan_report import plan_report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pdsno_cli.spec.resolved import Environment, Resolved
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.changes import Change
    from pdsno_cli.supervisor.plan import Plan
    from pdsno_cli.supervisor.runner import ConvergingRunner
    from pdsno_cli.supervisor.supervise import Supervisor

_TIMEOUT = (
    10.0  # seconds for a controller to confirm an order; a probe or a commit may be under way
)
_LOOK = 0.2  # seconds after which health is judged again without any news
_QUIET = 5.0  # seconds to be healthy before the command says what it waits for
_BACK = 60.0  # seconds at least to become what it was before
_UP = (Role.LOCAL, Role.REGIONAL, Role.GLOBAL)


class Applier:
    """Changes one run, one change at a time. Event-loop thread only."""

    def __init__(self, run: Supervisor) -> None:
        self._run = run
        self._numbers = itertools.count(1)
        self._confirmed: dict[str, int] = {}  # the last order that each controller confirmed
        self.busy = False
        self.failure: str | None = None  # of what the run needs, while busy

    def confirmed(self, name: str, number: int) -> None:
        """Note that a controller confirmed an order."""
        self._confirmed[name] = number

    def plan(self, resolved: Resolved) -> Plan:
        """Return the plan from what runs to another topology.

        OperationError if that has a secret that cannot be read here: its controllers would not start.
        """
        require_secrets(resolved, before=self._run.plane.resolved)
        given_up = [
            name for name, child in self._run.children.items() if child.state is ChildState.FAILED
        ]
        return self._run.plane.plan(resolved, self._run.board, given_up)

    async def apply(
        self, request: Mapping[str, Any], announce: Callable[[str], None]
    ) -> dict[str, Any]:
        """Apply the topology of a request; return its plan once all that changed is healthy.

        ``wait`` is how long that may take, in seconds; ``check`` a plan's token, None for any;
        ``revert`` is False where what was changed is to stay in any case. OperationError, with what
        runs now, if that fails.
        """
        run = self._run
        if self.busy:
            raise OperationError("another change is being applied: try again when it is done")
        resolved, environment = run.plane.resolve(request)
        plan = self.plan(resolved)
        if request["check"] not in (None, plan.token):
            raise OperationError(
                "the file, or what runs, has changed since that plan: make another with pdsno plan"
            )
        if plan.empty:
            return {"plan": plan_report(plan)}
        require_open_files(open_files_needed(resolved.topology, in_process=run.plane.in_process))
        before, was = run.plane.resolved, {name: os.environ.get(name) for name in environment}
        self.busy, self.failure = True, None
        try:
            run.plane.intend(_gone(plan))
            await self._reach(plan, resolved, environment, request["wait"], announce)
            await self._finish(before, resolved, environment, plan)
        except _RefusedError:
            set_environment(was)
            run.plane.intend(())
            raise
        except OperationError as exc:
            if run.stopping:
                raise OperationError("the topology is going down") from exc
            if not plan.fields and not _differ(plan):
                raise  # nothing of the file has changed, so there is nothing to go back to
            if not request["revert"]:
                await self._finish(before, resolved, environment, plan)
                raise OperationError(f"{exc}\n  it stays as it is, as --no-revert says") from exc
            announce("not healthy: going back to what ran before")
            try:
                await self._go_back(resolved, before, was, max(_BACK, request["wait"]), announce)
            except OperationError as second:
                run.plane.doubt(item.controller_id for item in plan.changes)
                text = f"{exc}\n  and what ran before does not run again: {second}"
                raise OperationError(text) from exc
            raise OperationError(f"{exc}\n  what ran before runs again") from exc
        finally:
            self.busy = False
        return {"plan": plan_report(plan)}

    async def forget(self, names: Collection[str], announce: Callable[[str], None]) -> None:
        """Remove what a run that was killed meanwhile has left of controllers that it removed."""
        run = self._run
        topology, encoded = run.plane.topology, encode(run.plane.topology)
        try:
            for role in (Role.REGIONAL, Role.GLOBAL):
                above = [item.controller_id for item in topology.of_role(role)]
                await self._reconfigure(above, encoded, tuple(names))
        except OperationError as exc:  # the next start tries again
            announce(f"{', '.join(names)}: not yet removed everywhere: {exc}")
            return
        await run.runner.clear([topology.topics.status(name) for name in names])
        run.plane.removed(names)

    async def _go_back(
        self,
        tried: Resolved,
        before: Resolved,
        environment: Environment,
        wait: float,
        announce: Callable[[str], None],
    ) -> None:
        self.failure = None
        plan = make_plan(tried, before)
        await self._reach(plan, before, environment, wait, announce)
        await self._finish(tried, before, environment, plan)

    async def _reach(
        self,
        plan: Plan,
        resolved: Resolved,
        environment: Environment,
        wait: float,
        announce: Callable[[str], None],
    ) -> None:
        """Change the run, and wait until what was changed is healthy."""
        set_environment(environment)
        try:
            if plan.replaces_all:
                runner = self._rebuild(resolved.topology)
                announce("replacing everything")
                await self._run.replace(resolved.topology, runner)
            else:
                await self._converge(plan, resolved.topology, environment, wait, announce)
        except OperationError:
            raise
        except PdsnoError as exc:
            raise OperationError(str(exc)) from exc
        changed = [item.controller_id for item in plan.changes if item.kind is not Kind.REMOVE]
        await self._healthy(changed, wait, announce)

    def _rebuild(self, topology: Topology) -> ConvergingRunner:
        try:
            return self._run.rebuild(topology)
        except PdsnoError as exc:
            raise _RefusedError(str(exc)) from exc

    async def _finish(
        self, before: Resolved, now: Resolved, environment: Environment, plan: Plan
    ) -> None:
        """Remove what is left of controllers that are gone; from here on there is no way back."""
        gone = _gone(plan)
        self._run.plane.adopt(now, environment, gone)
        old, new = before.topology, now.topology
        topics = [old.topics.status(name) for name in gone]
        topics += [old.topics.policy(name) for name in old.regions if name not in new.regions]
        if topics and not plan.replaces_all:
            await self._run.runner.clear(topics)
        self._run.plane.removed(gone)

    async def _converge(
        self,
        plan: Plan,
        topology: Topology,
        environment: Environment,
        wait: float,
        announce: Callable[[str], None],
    ) -> None:
        run = self._run
        leaving = plan.of(Kind.REMOVE, Kind.MOVE, Kind.REPLACE)
        if leaving:
            announce(f"stopping {_names(leaving)}")
        tiers = [[item.controller_id for item in leaving if item.role is role] for role in _UP]
        lab = [LAB] if topology.lab is None and LAB in run.children else []
        await run.stop_children([*tiers, lab])
        for name in itertools.chain(*tiers, lab):
            run.discard(name)
        run.board.reconfigure(topology)
        await run.runner.prepare(topology, environment)
        removed = tuple(item.controller_id for item in plan.of(Kind.REMOVE, Kind.REPLACE))
        encoded = encode(topology)
        orphans = {item.controller_id for item in plan.changes if item.new_parent}
        for role in _UP:
            live = _ids(plan.of(Kind.LIVE), role)
            await self._reconfigure(live, encoded, removed, resync=orphans)
            if role is Role.LOCAL:
                self._start(plan.of(Kind.ADD, Kind.MOVE, Kind.REPLACE), announce)
            again = _ids(plan.of(Kind.RESTART), role)
            for name in again:
                announce(f"restarting {name}")
                await run.stop_children([[name]])
                run.discard(name)
                run.start_child(name)
                await self._healthy([name], wait, announce)
            late = [
                name for name in again if name in orphans or (removed and role is not Role.LOCAL)
            ]
            await self._reconfigure(late, encoded, removed, resync=orphans)

    def _start(self, coming: list[Change], announce: Callable[[str], None]) -> None:
        if coming:
            announce(f"starting {_names(coming)}")
        for item in coming:
            self._run.start_child(item.controller_id)

    async def _reconfigure(
        self,
        names: Collection[str],
        topology: bytes,
        removed: tuple[str, ...],
        *,
        resync: Collection[str] = (),
    ) -> None:
        """Have controllers use a topology; one that does not run reads it when it starts."""
        number = next(self._numbers)
        orders = [encode_order(number, topology, removed, resync=again) for again in (False, True)]
        for name in names:
            if self._is_alive(name):
                self._run.runner.reconfigure(name, orders[name in resync])
        deadline = time.monotonic() + _TIMEOUT
        while waiting := [
            name for name in names if self._is_alive(name) and self._confirmed.get(name, 0) < number
        ]:
            if time.monotonic() > deadline:
                raise OperationError(f"{waiting[0]} does not answer: is it stuck?")
            await self._run.news(_LOOK)

    def _is_alive(self, name: str) -> bool:
        child = self._run.children.get(name)
        return child is not None and child.alive

    async def _healthy(
        self, names: Iterable[str], wait: float, announce: Callable[[str], None]
    ) -> None:
        """Wait until controllers are healthy, at most ``wait`` seconds; announce which, if that takes long.

        Raises OperationError with what is known of one that is not, at once if it was given up.
        """
        run, names = self._run, list(names)
        deadline, next_word = time.monotonic() + wait, time.monotonic() + _QUIET
        while True:
            if self.failure is not None:
                raise OperationError(self.failure)
            if run.stopping:
                raise OperationError("the topology is going down")
            for name in names:
                child = run.children.get(name)
                if child is not None and child.state is ChildState.FAILED:
                    raise OperationError(run.failure_text(name))
            waiting = [name for name in names if not run.board.is_healthy(name)]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise OperationError(
                    f"not healthy within {wait:g} s: {run.failure_text(waiting[0])}"
                )
            if time.monotonic() > next_word:
                next_word = time.monotonic() + 2 * _QUIET
                more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
                announce(f"waiting for {waiting[0]}{more}: {run.reason(waiting[0])}")
            await run.news(_LOOK)


class _RefusedError(OperationError):
    """Another topology that cannot run: nothing was changed yet."""


def _differ(plan: Plan) -> bool:
    """Return True if a plan has more than restarts of what does not run as it should."""
    return any(item.fields or item.kind is not Kind.RESTART for item in plan.changes)


def _gone(plan: Plan) -> list[str]:
    return [item.controller_id for item in plan.of(Kind.REMOVE)]


def _ids(changes: Iterable[Change], role: Role) -> list[str]:
    return [item.controller_id for item in changes if item.role is role]


def _names(changes: list[Change]) -> str:
    names = ", ".join(item.controller_id for item in changes[:3])
    return names + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")

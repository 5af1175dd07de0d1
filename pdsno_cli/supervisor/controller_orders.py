"""Restarts, stops and starts single controllers of a run, as requested on the control socket.

Each request is answered at once; whoever asked reads the status to see what becomes of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.names import suggest
from pdsno_cli.supervisor.child import ChildState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.child import Child
    from pdsno_cli.supervisor.control import Operation
    from pdsno_cli.supervisor.runner import Runner

PATIENCE = 10.0  # seconds that a controller has to stop before it is killed


class ControllerOrders:
    """The orders about single controllers. Event-loop thread only.

    ``start`` starts a child, ``stopping`` is True once the whole run stops.
    """

    def __init__(
        self,
        *,
        board: Board,
        children: Mapping[str, Child],
        runner: Runner,
        start: Callable[[str], None],
        stopping: Callable[[], bool],
        announce: Callable[[str], None],
    ) -> None:
        self._board = board
        self._children = children
        self._runner = runner
        self._start_child = start
        self._stopping = stopping
        self._announce = announce

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The requests by name; each has the ``id`` of a controller."""
        return {
            "restart_controller": self._restart,
            "stop_controller": self._stop,
            "start_controller": self._start,
        }

    def _restart(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop a controller in order, then start it; one that does not run is started."""
        child = self._child(request)
        if child.state is ChildState.RUNNING:
            child.restart()
            self._end(child)
        elif child.state is not ChildState.STARTING:
            self._revive(child)
        return self._answer(child)

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop a controller; it stays away until it is started."""
        child = self._child(request)
        alive = child.alive
        child.stop()
        if alive:
            self._end(child)
        return self._answer(child)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a controller that was stopped or given up, or that waits for its restart."""
        child = self._child(request)
        if not child.alive:
            self._revive(child)
        elif not child.wanted:
            raise OperationError(f"{child.name} is still stopping: start it once it has stopped")
        return self._answer(child)

    def _child(self, request: dict[str, Any]) -> Child:
        name = request["id"]
        if self._stopping():
            raise OperationError("the topology is going down")
        if name not in self._board.rows or name not in self._children:
            hint = suggest(name, self._board.rows)
            raise OperationError(f"no controller {name!r} runs here: {hint}")
        return self._children[name]

    def _revive(self, child: Child) -> None:
        child.revive()
        self._start_child(child.name)

    def _end(self, child: Child) -> None:
        """Ask a child to stop, and kill it if it does not."""
        pid = child.pid
        self._runner.stop(child.name)

        def kill() -> None:
            if child.alive and child.pid == pid and self._runner.kill(child.name):
                self._announce(f"{child.name} did not stop in {PATIENCE:g} s: killed")

        asyncio.get_running_loop().call_later(PATIENCE, kill)

    def _answer(self, child: Child) -> dict[str, Any]:
        """Return the controller's state, and what tells a process that is started from now on."""
        epoch = self._board.rows[child.name].epoch
        return {"state": child.state.value, "epoch": epoch, "pid": child.pid}

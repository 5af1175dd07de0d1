"""``pdsno up`` on a topology that runs: applies the file, or attaches where nothing has changed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.model.errors import OperationError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.client.applying import Running
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_REDRAW = 0.5  # seconds between two looks at the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is applied: the ``wait`` is in seconds, ``check`` the token of a plan."""

    check: str | None
    wait: float
    revert: bool


def require_appliable(found: Running, *, cycles: int | None, in_process: bool) -> None:
    """Raise UsageError for options that only a new run can have."""
    if cycles is not None:
        raise UsageError(
            f"{found.topology} is up already, and --cycles is for a run of its own: "
            "end it with pdsno down first, or run another beside it with --state-dir"
        )
    if in_process and not found.in_process:
        raise UsageError(
            f"{found.topology} is up already, every controller a process: "
            "end it with pdsno down first"
        )


def require_token(topology: Topology, state: StateDir, token: str) -> None:
    """Raise OperationError unless ``token`` is that of the plan from nothing to this file."""
    from pdsno_cli.client.applying import find_plan

    if find_plan(topology, state)["token"] != token:
        raise OperationError(
            "the file, or what runs, has changed since that plan: make another with pdsno plan"
        )


def apply(topology: Topology, state: StateDir, options: Options) -> None:
    """Apply a topology to what runs, and print what was done."""
    from pdsno_cli.cli.plan_text import summary
    from pdsno_cli.client import applying

    began = time.monotonic()
    plan = applying.apply(
        topology,
        state,
        console.message,
        check=options.check,
        wait=options.wait,
        revert=options.revert,
    )
    if plan["changed"]:
        seconds = time.monotonic() - began
        done = summary(plan).removeprefix("plan: ")
        console.progress(f"{topology.name}: applied in {seconds:.1f} s: {done}")
    else:
        console.progress(f"{topology.name}: nothing to change")


def attach(topology: Topology, state: StateDir, file: Path) -> None:
    """Show what runs until Ctrl-C, which ends this display alone."""
    from pdsno_cli.cli.live import LiveTable
    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.control import ask

    board, ended = Board(topology), False
    try:
        with LiveTable(topology, colour=console.colour(sys.stderr)) as live:
            data = ask(state.control, {"op": "board"})
            board.load(data)
            live.on_start(board, data["broker"])
            live.on_message("attached: Ctrl-C detaches, the topology goes on")
            while True:
                time.sleep(_REDRAW)
                try:
                    board.load(ask(state.control, {"op": "board"}))
                except UsageError:
                    ended = True
                    break
    except KeyboardInterrupt:
        pass
    if ended:
        console.progress(f"{topology.name}: it was stopped")
    else:
        console.progress(f"{topology.name}: detached, it goes on; end it with: pdsno down {file}")

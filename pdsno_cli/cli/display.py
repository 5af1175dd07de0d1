"""Shows a run: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.cycle_warnings import CycleWarnings
from pdsno_cli.model.notices import CycleNotice, Notice, StateNotice, WarningNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.observer import Observer

MANY = 20  # controllers beyond which plain lines report problems only


@contextmanager
def display(topology: Topology, log: Path) -> Iterator[Observer]:
    """Show a run on stderr, and log it, for as long as the context lasts."""
    from pdsno_cli.runtime.logs import file_logger

    logged = PlainLines(topology, file_logger(log).info, cycles=False)
    if console.terminal(sys.stderr):
        from pdsno_cli.cli.live import LiveTable

        with LiveTable(topology, colour=console.colour(sys.stderr)) as live:
            yield _Both(live, logged)
    else:
        yield _Both(PlainLines(topology), logged)


class PlainLines:
    """Writes one line per event; with many controllers, per problem.

    ``write`` gets lines that may contain text from outside; without ``cycles`` none about a cycle, as
    in a log: locals log their own. Implements ``Observer``.
    """

    def __init__(
        self,
        topology: Topology,
        write: Callable[[str], None] = console.message,
        *,
        cycles: bool = True,
    ) -> None:
        self._write = write
        self._name = topology.name
        self._count = len(topology.controllers)
        self._few = self._count <= MANY
        self._cycles = cycles and self._few
        self._states: dict[str, str] = {}
        self._warnings = CycleWarnings()

    def on_start(self, board: Board, broker: str) -> None:
        """Write the line of the start."""
        self._count = len(board.rows)
        self._few = self._count <= MANY
        self._write(f"{self._name}: starting {self._count} controllers, {broker}")

    def on_notice(self, notice: Notice) -> None:
        """Write a line for a new state, a cycle or a warning."""
        match notice:
            case StateNotice(controller_id=name, state=state):
                if self._states.get(name) != state and (
                    self._few or state in ("disconnected", "failed")
                ):
                    tail = f" ({notice.detail})" if notice.detail else ""
                    tail = f" over {notice.transport}" if notice.transport else tail
                    self._write(f"{name}: {state}{tail}")
                self._states[name] = state
            case CycleNotice():
                if self._cycles:
                    self._write(f"{notice.controller_id}: {notice.text}")
                if line := self._warnings.take(notice):
                    self._write(line)
            case WarningNotice():
                self._write(f"{notice.controller_id}: warning: {notice.text}")
            case _:
                pass

    def on_message(self, text: str) -> None:
        """Write the message."""
        self._write(text)

    def on_ready(self, seconds: float) -> None:
        """Write the time it took."""
        self._write(f"{self._name}: all {self._count} controllers ready in {seconds:.1f} s")


class _Both:
    """Passes each event to two observers. Implements ``Observer``."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._observers = (first, second)

    def on_start(self, board: Board, broker: str) -> None:
        """Pass on the start."""
        for observer in self._observers:
            observer.on_start(board, broker)

    def on_notice(self, notice: Notice) -> None:
        """Pass on a notice."""
        for observer in self._observers:
            observer.on_notice(notice)

    def on_message(self, text: str) -> None:
        """Pass on a message."""
        for observer in self._observers:
            observer.on_message(text)

    def on_ready(self, seconds: float) -> None:
        """Pass on readiness."""
        for observer in self._observers:
            observer.on_ready(seconds)

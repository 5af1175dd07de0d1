"""Shows a run: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.model.notices import CycleNotice, Notice, StateNotice, WarningNotice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.observer import Observer

MANY = 20  # controllers beyond which plain lines report problems only


@contextmanager
def display(topology: Topology) -> Iterator[Observer]:
    """Show a run on stderr for as long as the context lasts."""
    if console.terminal(sys.stderr):
        from pdsno_cli.cli.live import LiveTable

        with LiveTable(topology, colour=console.colour(sys.stderr)) as live:
            yield live
    else:
        yield PlainLines(topology)


def cycle_text(notice: CycleNotice) -> str:
    """Return one cycle as one line."""
    answers = ", ".join(
        f"{probe.protocol} {probe.answers}/{probe.targets}"
        for probe in notice.probes
        if probe.error is None
    )
    return (
        f"{notice.controller_id}: cycle {notice.cycle} {notice.outcome} in {notice.seconds:.1f} s "
        f"({answers or 'no probe'}): {notice.active} devices, {notice.new} new, "
        f"{notice.updated} updated, {notice.inactive} inactive"
    )


class PlainLines:
    """Writes one line per event; with many controllers, per problem.

    ``write`` gets lines that may contain text from outside. Implements ``Observer``.
    """

    def __init__(self, topology: Topology, write: Callable[[str], None] = console.message) -> None:
        self._write = write
        self._name = topology.name
        self._count = len(topology.controllers)
        self._few = self._count <= MANY
        self._states: dict[str, str] = {}

    def on_start(self, board: Board, broker: str) -> None:
        """Write the line of the start."""
        del board
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
            case CycleNotice() if self._few:
                self._write(cycle_text(notice))
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

"""The observer of a run: the seam between the supervisor and the display of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.supervisor.board import Board


class Observer(Protocol):
    """Receives the events of a run, on the event loop's thread; must not block."""

    def on_start(self, board: Board, broker: str) -> None:
        """Controllers are about to start; ``board`` is kept up to date from now on."""

    def on_notice(self, notice: Notice) -> None:
        """A controller sent a notice; the board is up to date with it."""

    def on_message(self, text: str) -> None:
        """One line for people: a restart, a warning of the broker."""

    def on_ready(self, seconds: float) -> None:
        """Every controller is ready, ``seconds`` after the start of the run."""

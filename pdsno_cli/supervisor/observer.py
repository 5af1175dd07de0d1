"""Who watches a run: what the supervisor tells whoever prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.supervisor.board import Board


class Observer(Protocol):
    """Hears of a run, on the thread that supervises it; must not wait."""

    def began(self, board: Board, broker: str) -> None:
        """The run begins; ``board`` is kept up to date from now on."""

    def noticed(self, notice: Notice) -> None:
        """A controller told something; the board has it already."""

    def said(self, text: str) -> None:
        """Something a person should read: a restart, a warning of the broker."""

    def all_ready(self, seconds: float) -> None:
        """Every controller is ready, so many seconds after the start."""

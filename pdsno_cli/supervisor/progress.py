"""How far a run has come, whoever runs the controllers: all ready, all cycles at the top."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pdsno_cli.model.notices import StateNotice
from pdsno_cli.supervisor.board import Board

if TYPE_CHECKING:
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.observer import Observer


class Progress:
    """Folds notices into the board and tells the observer of them. Event-loop thread only.

    ``cycles`` is how many discovery cycles of each local controller the run is for, None for a
    run without end. ``ready`` says that every controller was ready once.
    """

    def __init__(self, topology: Topology, observer: Observer, cycles: int | None) -> None:
        self._observer = observer
        self._began = time.monotonic()
        self.cycles = cycles
        self.board = Board(topology)
        self.ready = False

    @property
    def done(self) -> bool:
        """Whether the cycles that the run is for are committed at the top."""
        return self.cycles is not None and self.board.committed_everywhere(self.cycles)

    def take(self, notice: Notice) -> None:
        """Take in what a controller tells."""
        self.board.take(notice)
        self._observer.noticed(notice)
        if isinstance(notice, StateNotice) and not self.ready and self.board.ready():
            self.ready = True
            self._observer.all_ready(time.monotonic() - self._began)

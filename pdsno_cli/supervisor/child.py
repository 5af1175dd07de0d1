"""One supervised child: its state, and what its end means; the one place where it changes."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING

from pdsno_cli.runtime.child import EXIT_FAILED, EXIT_LATER
from pdsno_cli.supervisor.backoff import restart_delay

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FAILURES = 6  # ends in a row, never ready in between, that are taken for hopeless
LATER = 2.0  # seconds to wait for what will pass by itself, such as a full disk
_SETTLED = 30.0  # seconds of being up after which earlier failures are forgiven


class ChildState(Enum):
    """Where a child is in its life."""

    WAITING = "waiting"  # to be started, at first or again
    STARTING = "starting"  # asked for
    RUNNING = "running"
    STOPPED = "stopped"  # as wanted
    FAILED = "failed"  # given up


class Child:
    """A child process by name; ``changed`` hears of every transition."""

    def __init__(self, name: str, changed: Callable[[Child], None]) -> None:
        self.name = name
        self.state = ChildState.WAITING
        self.pid: int | None = None
        self.restarts = 0
        self.status: int | None = None
        self._failures = 0
        self._since = 0.0
        self._changed = changed
        self._wanted = True

    @property
    def alive(self) -> bool:
        """Whether there is, or is about to be, a process."""
        return self.state in (ChildState.STARTING, ChildState.RUNNING)

    @property
    def wanted(self) -> bool:
        """Whether the process is meant to run."""
        return self._wanted

    def requested(self) -> None:
        """The fork server was asked for the process."""
        self._to(ChildState.STARTING)

    def started(self, pid: int) -> None:
        """The process runs."""
        self.pid = pid
        self._since = time.monotonic()
        self._to(ChildState.RUNNING)

    def settled(self) -> None:
        """The child became ready: what failed before was not hopeless."""
        self._failures = min(self._failures, MAX_FAILURES - 2)

    def give_up(self) -> None:
        """Whatever ends from now on is wanted."""
        self._wanted = False
        if self.state is ChildState.WAITING:
            self._to(ChildState.STOPPED)

    def ended(self, status: int | None) -> float | None:
        """The process is no more; seconds until it should be started again, None for never.

        ``status`` is an exit code, minus a signal, or None where the fork server died with it.
        """
        self.pid = None
        self.status = status
        if not self._wanted:
            self._to(ChildState.STOPPED)
            return None
        if time.monotonic() - self._since > _SETTLED:
            self._failures = 0
        if status == EXIT_LATER or status is None:  # not by its own fault
            self.restarts += 1
            self._to(ChildState.WAITING)
            return LATER
        self._failures += 1
        if status == EXIT_FAILED or self._failures >= MAX_FAILURES:
            self._to(ChildState.FAILED)
            return None
        self.restarts += 1
        self._to(ChildState.WAITING)
        return restart_delay(self._failures)

    def end_text(self) -> str:
        """Say how the process ended."""
        if self.status is None:
            return "was lost with the fork server"
        if self.status < 0:
            return f"was killed by signal {-self.status}"
        return f"ended with exit code {self.status}"

    def _to(self, state: ChildState) -> None:
        self.state = state
        self._changed(self)

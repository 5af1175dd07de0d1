"""The state machine of one supervised child: the one place where its state changes."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING

from pdsno_cli.runtime.child import EXIT_FAILED, EXIT_LATER
from pdsno_cli.supervisor.backoff import restart_delay

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FAILURES = 6  # ends in a row, never ready in between, after which a child is given up
_TRANSIENT_DELAY = 2.0  # seconds until a restart after a transient failure, such as a full disk
_STABLE = 30.0  # seconds of running after which earlier failures no longer count


class ChildState(Enum):
    """Where a child is in its life."""

    WAITING = "waiting"  # for its restart
    STARTING = "starting"  # the runner was asked for it
    RUNNING = "running"
    STOPPED = "stopped"  # ended as expected
    FAILED = "failed"  # given up


class Child:
    """A child by name; ``changed`` is called at every transition."""

    def __init__(self, name: str, changed: Callable[[Child], None]) -> None:
        self.name = name
        self.state = ChildState.WAITING
        self.pid: int | None = None
        self.restarts = 0
        self.status: int | None = None
        self.wanted = True  # False once its end is expected
        self._again = False  # started again at once after the next end, which is expected
        self._failures = 0
        self._since = 0.0
        self._changed = changed

    @property
    def alive(self) -> bool:
        """Return True if the child runs or is being started."""
        return self.state in (ChildState.STARTING, ChildState.RUNNING)

    def requested(self) -> None:
        """Note that the runner was asked to start the child."""
        self._to(ChildState.STARTING)

    def started(self, pid: int | None) -> None:
        """Note that the child runs."""
        self.pid = pid
        self._since = time.monotonic()
        self._to(ChildState.RUNNING)

    def became_ready(self) -> None:
        """Note that the child became ready: its next failure is not the last."""
        self._failures = min(self._failures, MAX_FAILURES - 2)

    def expect_end(self) -> None:
        """Treat the next end as wanted; a child that waits for its restart is stopped."""
        self.wanted = self._again = False
        if self.state is ChildState.WAITING:
            self._to(ChildState.STOPPED)

    def stop(self) -> None:
        """Treat the next end as wanted; a child that does not run, also one given up, is stopped."""
        self.expect_end()
        if self.state is ChildState.FAILED:
            self._to(ChildState.STOPPED)

    def restart(self) -> None:
        """Treat the next end as wanted, and have the child started right after it."""
        self._again = True

    def revive(self) -> None:
        """Want a child again that was stopped or given up; earlier failures no longer count."""
        self.wanted = True
        self._failures = 0

    def ended(self, status: int | None) -> float | None:
        """Note an end; return seconds until the restart, None if the child stays away.

        ``status`` is an exit code, minus a signal, or None for a child lost with the fork server.
        """
        self.pid = None
        self.status = status
        if not self.wanted:
            self._to(ChildState.STOPPED)
            return None
        if self._again:
            self._again = False
            self._failures = 0
            self._to(ChildState.WAITING)
            return 0.0
        if time.monotonic() - self._since > _STABLE:
            self._failures = 0
        if status == EXIT_LATER or status is None:  # not its own failure
            self.restarts += 1
            self._to(ChildState.WAITING)
            return _TRANSIENT_DELAY
        self._failures += 1
        if status == EXIT_FAILED or self._failures >= MAX_FAILURES:
            self._to(ChildState.FAILED)
            return None
        self.restarts += 1
        self._to(ChildState.WAITING)
        return restart_delay(self._failures)

    def end_text(self) -> str:
        """Return how the child ended, as the rest of a sentence."""
        if self.status is None:
            return "was lost with the fork server"
        if self.status < 0:
            return f"was killed by signal {-self.status}"
        return f"ended with exit code {self.status}"

    def _to(self, state: ChildState) -> None:
        self.state = state
        self._changed(self)

"""Judges a transport by acknowledgements: a connection alone does not prove that it works.

A broker may let a client in and then drop one class of its messages without an error: by an access
list, a size limit, a full queue. So where a stream gets no acknowledgement for ``patience`` seconds,
the active transport reconnects; after as long again the next transport becomes active; where none
helps, the controller is degraded, and an event reports it. Then it begins again, since the fault
outside may be repaired at any time.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.ports import Scheduler

log = logging.getLogger(__name__)

_CHECKS = 4  # in each ``patience``
_AGAIN = 4  # times ``patience`` after which all is tried again


class Failover(Protocol):
    """The transports of a controller."""

    @property
    def active(self) -> str | None:
        """Return the transport in use, None while none is up."""

    def reconnect(self, reason: str) -> None:
        """Reconnect the active transport."""

    def leave(self, reason: str) -> bool:
        """Make the next transport active for a while. Return False if there is none."""


class StallMonitor:
    """Watches one controller's outbox. Owner's thread only.

    ``oldest_stall`` returns the stream that is without an acknowledgement for the longest, and
    since when on the monotonic clock. ``on_change`` is called with that stream once no transport
    helped, and with None once it is acknowledged again. ``patience`` is in seconds.
    """

    def __init__(
        self,
        *,
        oldest_stall: Callable[[], tuple[str, float] | None],
        failover: Failover,
        scheduler: Scheduler,
        on_change: Callable[[str | None], None],
        patience: float,
    ) -> None:
        self._oldest_stall = oldest_stall
        self._failover = failover
        self._scheduler = scheduler
        self._on_change = on_change
        self.patience = patience
        self._watching = False
        self._step = 0
        self._acted = 0.0  # when the last step was taken
        self._stalled: str | None = None

    def watch(self) -> None:
        """Check from now on, for as long as any message is unacknowledged."""
        if not self._watching:
            self._watching = True
            self._scheduler.after(self.patience / _CHECKS, self._check)

    def _check(self) -> None:
        self._watching = False
        found = self._oldest_stall()
        if found is None:
            self._recovered()
            return
        self.watch()
        stream, since = found
        now = time.monotonic()
        if now - since < self.patience:
            self._recovered()
        elif self._failover.active is not None and now - self._acted >= self.patience:
            self._act(stream, now - since, now)

    def _recovered(self) -> None:
        self._step, self._acted = 0, 0.0
        if self._stalled is not None:
            log.info("%s: acknowledged again", self._stalled)
            self._stalled = None
            self._on_change(None)

    def _act(self, stream: str, seconds: float, now: float) -> None:
        """Take the next step against a stall."""
        reason = f"nothing of {stream} was acknowledged for {seconds:.0f} s"
        if self._step == 0:
            self._failover.reconnect(reason)
        elif self._step == 1 and self._failover.leave(reason):
            pass
        else:
            if self._stalled is None:
                self._stalled = stream
                self._on_change(stream)
            self._step = -1
            now += (_AGAIN - 1) * self.patience
        self._step += 1
        self._acted = now

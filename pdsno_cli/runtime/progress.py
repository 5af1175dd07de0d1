"""Judges a transport by what it carries: acknowledgements, not a connection, prove that it works.

A broker may let a client in and then drop one class of its messages without a word: by an access
list, a size limit, a full queue. So where something waits and nothing of its stream was acknowledged
for ``patience`` seconds, the active transport makes another connection; after as long again it is
left for the next transport; where none helps, the controller is degraded, and an event says so. It
then begins again, since whatever is wrong out there may be put right at any time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Scheduler

log = logging.getLogger(__name__)

_LOOKS = 4  # in each ``patience``
_AGAIN = 4  # times ``patience`` after which all is tried again


class Carrier(Protocol):
    """What is judged: the fallback chain."""

    @property
    def active(self) -> str | None:
        """The transport that carries, None while none does."""

    def reconnect(self, reason: str) -> None:
        """Make another connection."""

    def leave(self, reason: str) -> bool:
        """Pass the active transport over for a while; False where nothing else is there."""


class Progress:
    """Watches one controller's outbox. Owner's thread only.

    ``standstill`` returns the stream that stands still for the longest, and since when on the
    monotonic clock. ``changed`` hears that stream once nothing helped, and None once something is
    acknowledged again. ``patience`` is in seconds.
    """

    def __init__(
        self,
        *,
        standstill: Callable[[], tuple[str, float] | None],
        carrier: Carrier,
        scheduler: Scheduler,
        changed: Callable[[str | None], None],
        patience: float,
    ) -> None:
        self._standstill = standstill
        self._carrier = carrier
        self._scheduler = scheduler
        self._changed = changed
        self._patience = patience
        self._looking = False
        self._step = 0
        self._acted = 0.0  # when the last step was taken
        self._stalled: str | None = None

    def watch(self) -> None:
        """Look from now on, for as long as anything waits."""
        if not self._looking:
            self._looking = True
            self._scheduler.after(self._patience / _LOOKS, self._look)

    def _look(self) -> None:
        self._looking = False
        found = self._standstill()
        if found is None:
            self._recovered()
            return
        self.watch()
        stream, since = found
        now = time.monotonic()
        if now - since < self._patience:
            self._recovered()
        elif self._carrier.active is not None and now - self._acted >= self._patience:
            self._act(stream, now - since, now)

    def _recovered(self) -> None:
        self._step, self._acted = 0, 0.0
        if self._stalled is not None:
            log.info("%s: acknowledged again", self._stalled)
            self._stalled = None
            self._changed(None)

    def _act(self, stream: str, seconds: float, now: float) -> None:
        """Take the next step against a standstill."""
        reason = f"nothing of {stream} was acknowledged for {seconds:.0f} s"
        if self._step == 0:
            self._carrier.reconnect(reason)
        elif self._step == 1 and self._carrier.leave(reason):
            pass
        else:
            if self._stalled is None:
                self._stalled = stream
                self._changed(stream)
            self._step = -1
            now += (_AGAIN - 1) * self._patience
        self._step += 1
        self._acted = now

"""Records for people which transports of a controller are up, and since when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pdsno_cli.model.notices import TransportState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.messaging.transport import Loss


class TransportStates:
    """The state of each transport in use, by name. Times are Unix seconds."""

    def __init__(self) -> None:
        self._states: dict[str, TransportState] = {}

    def ordered(self, names: Iterable[str]) -> dict[str, TransportState]:
        """Return the recorded states in the order of ``names``."""
        states = dict(self._states)
        return {name: states[name] for name in names if name in states}

    def up(self, name: str) -> None:
        """Record that a transport is up, without a reason against it."""
        self._states[name] = TransportState(up=True, since=self._since(name, up=True))

    def down(self, name: str, loss: Loss) -> None:
        """Record that a transport is lost, or failed to connect."""
        self._states[name] = TransportState(
            up=False,
            since=self._since(name, up=False),
            reason=loss.reason,
            next_try=None if loss.retry_in is None else time.time() + loss.retry_in,
        )

    def shunned(self, name: str, reason: str, seconds: float) -> None:
        """Record that a transport is up and passed over for ``seconds``."""
        now = time.time()
        before = self._states.get(name)
        if before is not None and before.up:
            self._states[name] = TransportState(
                up=True, since=now, reason=reason, next_try=now + seconds
            )

    def carries(self, name: str) -> None:
        """Record that a transport carries, so that a reason to pass it over is void."""
        before = self._states.get(name)
        if before is not None and before.reason is not None:
            self.up(name)

    def forget(self, name: str) -> None:
        """Drop a transport that is no longer in use."""
        self._states.pop(name, None)

    def _since(self, name: str, *, up: bool) -> float:
        before = self._states.get(name)
        return before.since if before is not None and before.up == up else time.time()

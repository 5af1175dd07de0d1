"""Bounds connections to the HTTP receiver: their number, and their time without a request.

uvicorn closes a connection some time after an answer, but not one that never sends a request or
never ends its headers. Imported only at the first connection.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST_WAIT = (
    10.0  # seconds for the first request, and for the headers of every request, to arrive
)
SHARE = 2  # one address may have one part in so many of all connections


class BoundedProtocol(H11Protocol):
    """One of at most ``most`` connections, of which one address has at most one in ``SHARE``.

    Beyond, the connection that has been idle for longest is closed; if none is idle, the new one is.
    A controller whose idle connection was closed opens another with its next message.
    """

    most = 2_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._since = time.monotonic()  # when it last became idle

    @property
    def idle(self) -> bool:
        """True if no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, and close an idle one if there are too many."""
        super().connection_made(transport)
        others = [item for item in self.connections if isinstance(item, BoundedProtocol)]
        if len(others) > self.most:
            self._make_room(others)
        host = self.client[0] if self.client else ""
        same = [item for item in others if item.client and item.client[0] == host]
        if len(same) > max(self.most // SHARE, 1):
            self._make_room(same)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive bytes; they extend the deadline only if they begin a request."""
        super().data_received(data)
        if not self.idle:
            self._cancel_deadline()
        elif self._deadline is None and not self.transport.is_closing():
            self._await_request()

    def on_response_complete(self) -> None:
        """Record that the connection is idle from now on."""
        super().on_response_complete()
        self._since = time.monotonic()

    def _make_room(self, among: Iterable[BoundedProtocol]) -> None:
        idle = [item for item in among if item.idle and not item.transport.is_closing()]
        # The new connection itself comes last.
        oldest = min(idle, key=lambda item: (item is self, item._since))  # noqa: SLF001
        oldest.transport.abort()
        oldest.connections.discard(oldest)

    def _await_request(self) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(REQUEST_WAIT, self._give_up)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.idle:
            self.transport.abort()


def bounded(limit: int) -> type[BoundedProtocol]:
    """Return the protocol for a receiver that holds at most ``limit`` connections."""
    return type("Bounded", (BoundedProtocol,), {"most": limit})

"""Bounds what a connection to the HTTP receiver may take: time without a request, and its share.

uvicorn bounds how long a connection is kept after an answer, but not one that never asks, or never
ends its headers. Imported only once somebody connects.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST_WAIT = 10.0  # seconds for the first request, and for the headers of every one, to come
SHARE = 2  # a part in so many of all connections is what one address may have


class BoundedProtocol(H11Protocol):
    """One connection. At most ``most`` are held, so many in ``SHARE`` of them from one address.

    Beyond, the one that has been idle for longest makes room; where all are at work, nobody new is
    taken. A controller whose idle connection was closed opens another with its next message.
    """

    most = 2_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._since = time.monotonic()  # when it last became idle

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of an idle one where there are too many."""
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
        """Wait for nothing any more."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; unless they begin a request, they do not prolong the wait for one."""
        super().data_received(data)
        if not self.idle:
            self._forget_deadline()
        elif self._deadline is None and not self.transport.is_closing():
            self._await_request()

    def on_response_complete(self) -> None:
        """Be idle from now on."""
        super().on_response_complete()
        self._since = time.monotonic()

    def _make_room(self, among: Iterable[BoundedProtocol]) -> None:
        waiting = [item for item in among if item.idle and not item.transport.is_closing()]
        # Itself last: it is idle, and the newest.
        oldest = min(waiting, key=lambda item: (item is self, item._since))  # noqa: SLF001
        oldest.transport.abort()
        oldest.connections.discard(oldest)

    def _await_request(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(REQUEST_WAIT, self._give_up)

    def _forget_deadline(self) -> None:
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

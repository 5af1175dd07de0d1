"""Requests the whole state of children of which nothing is committed, as after a store was lost."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import receives, state_stream
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.model.messages import Envelope

PATIENCE = 0.5  # seconds in which a child that started before may report of itself
AGAIN = 60.0  # the same of one that started later; after which one is asked again


class StateRequests:
    """Asks each child that is online, since its next report may be an hour away.

    ``request`` is called with a sender and its stream. Owner's thread only.
    """

    def __init__(self, endpoint: Endpoint, request: Callable[[str, str], None]) -> None:
        self._endpoint = endpoint
        self._request = request
        self._began = epoch_at(time.time())
        self._familiar: set[str] = set()  # streams of which something is committed
        self._asked: dict[str, float] = {}  # the others, and when, on the monotonic clock

    def heard(self, message: Envelope) -> None:
        """Note a message that shows a child to be online, if it is one."""
        sender, status = message.sender_id, message.payload
        if not isinstance(status, Status) or status.state == "death":
            return
        topology = self._endpoint.topology
        stream = state_stream(topology.topics, sender, status.role, status.region)
        if (
            stream is None
            or stream in self._familiar
            or not receives(topology, self._endpoint.spec.controller_id, stream)
            or self._endpoint.live.is_removed(sender, message.epoch)
        ):
            return
        now = time.monotonic()
        if now >= self._asked.get(stream, -AGAIN) + AGAIN:
            self._asked[stream] = now
            # A thousand that start with this controller need not be asked.
            wait = PATIENCE if message.epoch < self._began else AGAIN
            self._endpoint.scheduler.after(wait, partial(self._ask, sender, stream))

    def _ask(self, sender: str, stream: str) -> None:
        if self._endpoint.store.committed(sender, stream) is None:
            self._request(sender, stream)
        else:
            self._familiar.add(stream)
            self._asked.pop(stream, None)

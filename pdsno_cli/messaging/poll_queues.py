"""Queues messages for controllers that poll over HTTP: those that a broker would deliver to them.

A poll client is a controller that sent a signed message over HTTP, and whose requests prove its
identity. While it keeps polling, messages of this controller on topics of its filters are queued for
its next request. A new client gets the retained messages first, so that a controller that missed a
policy gets it from its parent.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pdsno_cli.messaging.http_wire import BATCH_BYTES, MAX_MESSAGES, Item
from pdsno_cli.model.messages import Envelope, PolicyDocument
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.model.topics import matches

log = logging.getLogger(__name__)

CAPACITY = (
    1_000  # messages of one client; beyond, the oldest are dropped, and resent by their senders
)
_BEATS = 3  # heartbeats within which a client must poll again
_LEAST = 3.0  # seconds within which it must, if its heartbeats are shorter
_ROUTES = 10_000  # most topics whose queues are cached, and most known senders


@dataclass(frozen=True, slots=True, kw_only=True)
class PollClient:
    """A controller that may poll: its topic filters, and the seconds between its heartbeats."""

    filters: tuple[str, ...]
    heartbeat: float


class PollResult(NamedTuple):
    """Messages for one poll, the cursor after them, and True if more are queued."""

    items: tuple[Item, ...]
    seen: str
    more: bool


@dataclass(slots=True, eq=False)
class _Queue:
    """The messages of one client. Its name is part of its cursors: those of others are ignored."""

    client: PollClient
    epoch: int
    until: float
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    last: int = 0
    items: deque[tuple[int, Item]] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    on_message: Callable[[], None] | None = None

    def put(self, item: Item) -> None:
        self.last += 1
        self.items.append((self.last, item))
        if self.on_message is not None:
            self.on_message()

    def drop(self, seen: str) -> None:
        """Drop the messages up to a cursor, which the client has received."""
        name, _, number = seen.partition(":")
        if name == self.name and number.isdecimal():
            while self.items and self.items[0][0] <= int(number):
                self.items.popleft()


class PollQueues:
    """The queues of one controller's poll clients; safe for use from several threads.

    ``open_message`` verifies a message, RefusedError if it is invalid. ``admit`` returns the poll
    client that sent it, None if the sender may not poll here. ``relayed`` are the topics of policies
    from above that are passed on to clients.
    """

    def __init__(
        self,
        *,
        open_message: Callable[[str, bytes], Envelope],
        admit: Callable[[Envelope], PollClient | None],
        relayed: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_message
        self._admit = admit
        self._relayed = relayed
        self._clock = clock
        self._lock = threading.Lock()
        self._senders: dict[str, tuple[int, PollClient]] = {}  # with epoch, by id
        self._queues: dict[str, _Queue] = {}
        self._routes: dict[str, tuple[_Queue, ...]] = {}
        self._retained: dict[str, Item] = {}
        self._versions: dict[str, int] = {}

    def register(self, items: Iterable[Item], proven: str | None) -> str | None:
        """Record the sender of these messages, by the first that is verified.

        Return ``proven``, the id that the request proved, if it is a poll client; its queue is then
        kept until it must poll again.
        """
        self._record_sender(items)
        with self._lock:
            known = self._senders.get(proven or "")
        return None if proven is None or known is None else self._renew(proven, *known)

    def _record_sender(self, items: Iterable[Item]) -> None:
        for item in items:
            try:
                envelope = self._open(item.topic, item.data.encode())
            except RefusedError:
                continue  # the controller receives it, too, and counts and logs it
            client = self._admit(envelope)
            if client is None:
                continue
            sender = envelope.sender_id
            with self._lock:
                known = self._senders.get(sender)
                if known is None and len(self._senders) >= _ROUTES:
                    self._senders.pop(next(iter(self._senders)))
                if known is None or envelope.epoch >= known[0]:
                    self._senders[sender] = envelope.epoch, client
            return

    def offer(self, topic: str, data: bytes, *, retain: bool) -> bool:
        """Queue a message of this controller for its clients. Return True if there are any."""
        with self._lock:
            queues = self._route(topic)
            if not queues and not retain:
                return False  # the usual case: no client polls while the broker is up
            item = Item(topic, data.decode())
            if retain:
                self._retained[topic] = item
            for queue in queues:
                queue.put(item)
            return bool(queues)

    def relay(self, topic: str, data: bytes) -> None:
        """Pass a policy from above on, unless a newer one is known."""
        if topic not in self._relayed:
            return
        try:
            payload = self._open(topic, data).payload
        except RefusedError:
            return
        assert isinstance(payload, PolicyDocument)  # the only kind of such a topic
        with self._lock:
            if payload.version < self._versions.get(topic, 0):
                return
            self._versions[topic] = payload.version
            item = Item(topic, data.decode())
            if self._retained.get(topic) == item:
                return
            self._retained[topic] = item
            for queue in self._route(topic):
                queue.put(item)

    def collect(self, sender: str, seen: str) -> PollResult:
        """Return the messages of a client after cursor ``seen``; they stay queued until confirmed."""
        with self._lock:
            queue = self._queues.get(sender)
            if queue is None:
                return PollResult((), "", more=False)
            queue.drop(seen)
            taken: list[Item] = []
            size = last = 0
            for number, item in queue.items:
                size += len(item.data)
                if taken and (len(taken) == MAX_MESSAGES or size > BATCH_BYTES):
                    break
                taken.append(item)
                last = number
            return PollResult(
                tuple(taken),
                f"{queue.name}:{last}" if taken else seen,
                len(taken) < len(queue.items),
            )

    def watch(self, sender: str, on_message: Callable[[], None] | None) -> None:
        """Call ``on_message``, on any thread, when a message for a client is queued; None ends that."""
        with self._lock:
            queue = self._queues.get(sender)
            if queue is not None:
                queue.on_message = on_message

    def _renew(self, sender: str, epoch: int, client: PollClient) -> str:
        now = self._clock()
        with self._lock:
            queue = self._queues.get(sender)
            if queue is None or epoch > queue.epoch or now >= queue.until:
                queue = self._queues[sender] = _Queue(client=client, epoch=epoch, until=0.0)
                self._routes.clear()
                for item in self._retained.values():
                    if _wants(queue, item.topic):
                        queue.put(item)
            queue.until = now + max(_BEATS * client.heartbeat, _LEAST)
        return sender

    def _route(self, topic: str) -> tuple[_Queue, ...]:
        """Return the queues of the current clients that subscribe to ``topic``."""
        queues = self._routes.get(topic)
        if queues is None:
            if len(self._routes) >= _ROUTES:
                self._routes.clear()
            queues = tuple(queue for queue in self._queues.values() if _wants(queue, topic))
            self._routes[topic] = queues
        now = self._clock()
        if any(now >= queue.until for queue in queues):
            self._queues = {
                name: queue for name, queue in self._queues.items() if now < queue.until
            }
            self._routes.clear()
            queues = tuple(queue for queue in queues if now < queue.until)
        return queues


def _wants(queue: _Queue, topic: str) -> bool:
    return any(matches(item, topic) for item in queue.client.filters)

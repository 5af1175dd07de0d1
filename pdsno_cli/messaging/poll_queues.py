"""Keeps mail for those who come over HTTP: what a broker would have delivered to them.

A visitor is a controller whose signed message came over HTTP, and that proves with each request that
it is the one who comes. While it keeps coming, what this controller publishes on topics that the
visitor subscribes to waits for its next visit. Retained messages are given to every newcomer, so a
controller that missed a policy gets it from its parent.
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

CAPACITY = 1_000  # messages of one visitor; beyond, the oldest go: their senders send again
_BEATS = 3  # heartbeats for which a visitor is expected back
_LEAST = 3.0  # seconds for which it is, whatever its heartbeat
_ROUTES = 10_000  # topics whose visitors are remembered, and visitors


@dataclass(frozen=True, slots=True, kw_only=True)
class PollClient:
    """Who may come: what it subscribes to, and how many seconds lie between its heartbeats."""

    filters: tuple[str, ...]
    heartbeat: float


class PollResult(NamedTuple):
    """What a visitor is given: messages, the cursor after them, and whether more waits."""

    items: tuple[Item, ...]
    seen: str
    more: bool


@dataclass(slots=True, eq=False)
class _Box:
    """The mail of one visitor. Its name is in its cursors: those of another box say nothing."""

    visitor: PollClient
    epoch: int
    until: float
    name: str = field(default_factory=lambda: secrets.token_hex(16))
    last: int = 0
    items: deque[tuple[int, Item]] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    on_mail: Callable[[], None] | None = None

    def put(self, item: Item) -> None:
        self.last += 1
        self.items.append((self.last, item))
        if self.on_mail is not None:
            self.on_mail()

    def drop(self, seen: str) -> None:
        """Drop what a cursor says has been taken in."""
        name, _, number = seen.partition(":")
        if name == self.name and number.isdecimal():
            while self.items and self.items[0][0] <= int(number):
                self.items.popleft()


class PollQueues:
    """The mail of one controller's visitors; safe for use from several threads.

    ``open_message`` verifies a message, RefusedError if it is none. ``admit`` says what the sender
    of a message is as a visitor, None where it is not expected here. ``relayed`` are the topics of policies
    from above that are handed on to visitors.
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
        self._met: dict[str, tuple[int, PollClient]] = {}  # epoch, by whose messages came
        self._boxes: dict[str, _Box] = {}
        self._routes: dict[str, tuple[_Box, ...]] = {}
        self._retained: dict[str, Item] = {}
        self._versions: dict[str, int] = {}

    def visit(self, items: Iterable[Item], proven: str | None) -> str | None:
        """Take note of who sent these messages, by the first that is verified.

        Return ``proven``, who proved to be the one that brings them, where that is a visitor: it
        is present now.
        """
        self._meet(items)
        with self._lock:
            met = self._met.get(proven or "")
        return None if proven is None or met is None else self._welcome(proven, *met)

    def _meet(self, items: Iterable[Item]) -> None:
        for item in items:
            try:
                envelope = self._open(item.topic, item.data.encode())
            except RefusedError:
                continue  # the controller, which is handed it too, counts and names it
            visitor = self._admit(envelope)
            if visitor is None:
                continue
            sender = envelope.sender_id
            with self._lock:
                known = self._met.get(sender)
                if known is None and len(self._met) >= _ROUTES:
                    self._met.pop(next(iter(self._met)))
                if known is None or envelope.epoch >= known[0]:
                    self._met[sender] = envelope.epoch, visitor
            return

    def offer(self, topic: str, data: bytes, *, retain: bool) -> bool:
        """Put a message of this controller into the boxes of those present whom it is for.

        Whether there are any.
        """
        with self._lock:
            boxes = self._route(topic)
            if not boxes and not retain:
                return False  # as nearly always: nobody visits while the broker is there
            item = Item(topic, data.decode())
            if retain:
                self._retained[topic] = item
            for box in boxes:
                box.put(item)
            return bool(boxes)

    def relay(self, topic: str, data: bytes) -> None:
        """Hand a policy from above on, unless a newer one is known."""
        if topic not in self._relayed:
            return
        try:
            payload = self._open(topic, data).payload
        except RefusedError:
            return
        assert isinstance(payload, PolicyDocument)  # no other kind belongs on such a topic
        with self._lock:
            if payload.version < self._versions.get(topic, 0):
                return
            self._versions[topic] = payload.version
            item = Item(topic, data.decode())
            if self._retained.get(topic) == item:
                return
            self._retained[topic] = item
            for box in self._route(topic):
                box.put(item)

    def collect(self, sender: str, seen: str) -> PollResult:
        """Return the mail of a visitor after cursor ``seen``; it is kept until that is confirmed."""
        with self._lock:
            box = self._boxes.get(sender)
            if box is None:
                return PollResult((), "", more=False)
            box.drop(seen)
            taken: list[Item] = []
            size = last = 0
            for number, item in box.items:
                size += len(item.data)
                if taken and (len(taken) == MAX_MESSAGES or size > BATCH_BYTES):
                    break
                taken.append(item)
                last = number
            return PollResult(
                tuple(taken), f"{box.name}:{last}" if taken else seen, len(taken) < len(box.items)
            )

    def watch(self, sender: str, on_mail: Callable[[], None] | None) -> None:
        """Call ``on_mail``, on any thread, when mail for a visitor comes; None ends that."""
        with self._lock:
            box = self._boxes.get(sender)
            if box is not None:
                box.on_mail = on_mail

    def _welcome(self, sender: str, epoch: int, visitor: PollClient) -> str:
        now = self._clock()
        with self._lock:
            box = self._boxes.get(sender)
            if box is None or epoch > box.epoch or now >= box.until:
                box = self._boxes[sender] = _Box(visitor=visitor, epoch=epoch, until=0.0)
                self._routes.clear()
                for item in self._retained.values():
                    if _wants(box, item.topic):
                        box.put(item)
            box.until = now + max(_BEATS * visitor.heartbeat, _LEAST)
        return sender

    def _route(self, topic: str) -> tuple[_Box, ...]:
        """Return the boxes of those present who subscribe to ``topic``."""
        boxes = self._routes.get(topic)
        if boxes is None:
            if len(self._routes) >= _ROUTES:
                self._routes.clear()
            boxes = tuple(box for box in self._boxes.values() if _wants(box, topic))
            self._routes[topic] = boxes
        now = self._clock()
        if any(now >= box.until for box in boxes):
            self._boxes = {name: box for name, box in self._boxes.items() if now < box.until}
            self._routes.clear()
            boxes = tuple(box for box in boxes if now < box.until)
        return boxes


def _wants(box: _Box, topic: str) -> bool:
    return any(matches(item, topic) for item in box.visitor.filters)

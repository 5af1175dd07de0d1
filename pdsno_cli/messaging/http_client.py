"""The HTTP transport of one controller: posts messages to its parents, and receives in the answers.

A controller behind NAT needs no server: messages for it arrive in the answer to its next request, at
the latest that of its next heartbeat.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdsno_cli.messaging.guarded import call_guarded
from pdsno_cli.messaging.http_sender import HttpReceiver, HttpSender
from pdsno_cli.messaging.http_wire import Item
from pdsno_cli.messaging.transport import Arrival, FailoverMember, Loss

if TYPE_CHECKING:
    from pdsno_cli.messaging.http_challenge import Identity
    from pdsno_cli.messaging.transport import Listener, Publication


class HttpClient(FailoverMember):
    """Sends to one controller's receivers; implements ``transport.FailoverMember``.

    Without receivers, as for the global controller, it is up once started. A ``source`` is the IPv4
    address that connections come from. Without an ``identity`` it receives no messages.
    """

    def __init__(
        self,
        receivers: Sequence[HttpReceiver],
        *,
        identity: Identity | None = None,
        source: str | None = None,
    ) -> None:
        self._receivers = tuple(receivers)
        self._identity = identity
        self._source = source
        self._senders: tuple[HttpSender, ...] = ()
        self._listener: Listener | None = None
        self._lock = threading.Lock()
        self._connection = 0
        self._up: set[str] = set()

    @property
    def parent_transports(self) -> frozenset[str] | None:
        """The transports that every answering parent has up; None without parents."""
        names = [
            sender.receiver_transports
            for sender in self._senders
            if sender.receiver.parent and sender.receiver_transports is not None
        ]
        if not any(receiver.parent for receiver in self._receivers):
            return None
        return frozenset.intersection(*names) if names else frozenset()

    def reaches(self, topic: str) -> bool:
        """Return True if a receiver wants ``topic``."""
        return any(receiver.wants(topic) for receiver in self._receivers)

    def start(self, listener: Listener) -> None:
        """Connect to every parent, and stay connected."""
        self._listener = listener
        self._senders = tuple(
            HttpSender(receiver, self, self._identity, self._source) for receiver in self._receivers
        )
        for sender in self._senders:
            sender.start()
        if not any(receiver.parent for receiver in self._receivers):
            self._connection += 1
            listener.on_up(self._connection, False)

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Queue one message for its receivers; return False if none accepts it now."""
        accepted = [
            sender.enqueue(Item(topic, data.decode()))
            for sender in self._senders
            if sender.receiver.wants(topic)
        ]
        return any(accepted)

    def subscribe(self, topic_filter: str) -> None:
        """Do nothing: the parent decides by its topology what it sends to its children."""

    def reconnect(self, reason: str) -> None:
        """Do nothing: requests are independent of connections."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Post ``farewell``, wait shortly for the answer, and end."""
        senders, self._senders = self._senders, ()
        self._listener = None
        self._up.clear()
        for sender in senders:
            item = None
            if farewell is not None and sender.receiver.wants(farewell.topic):
                item = Item(farewell.topic, farewell.data.decode())
            sender.stop(item)
        if farewell is not None:
            for sender in senders:
                sender.join()

    # Called by the threads of the senders.

    def on_messages(self, items: Sequence[Item]) -> None:
        """Pass on the messages of an answer."""
        listener = self._listener
        if listener is not None:
            for item in items:
                call_guarded(listener.on_message, Arrival(item.topic, item.data.encode()))

    def on_answer(self, sender: HttpSender) -> None:
        """Record that a receiver answers, for the first time or again."""
        if not sender.receiver.parent:
            return
        with self._lock:
            if sender not in self._senders:
                return
            was_up = bool(self._up)
            self._up.add(sender.receiver.controller_id)
            listener = self._listener
            if not was_up and listener is not None:
                self._connection += 1
                call_guarded(listener.on_up, self._connection, False)

    def on_failure(self, sender: HttpSender, reason: str, retry_in: float) -> None:
        """Record that a receiver does not answer."""
        if not sender.receiver.parent:
            return
        with self._lock:
            if sender not in self._senders:
                return
            self._up.discard(sender.receiver.controller_id)
            listener = self._listener
            if not self._up and listener is not None:
                call_guarded(listener.on_down, Loss(reason=reason, retry_in=retry_in))

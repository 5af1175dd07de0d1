"""The HTTP transport of one controller: posts its messages to its parents, takes mail home.

A controller behind NAT needs no server: what is for it comes in the answers to what it sends, at
the latest to its next heartbeat.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pdsno_cli.messaging.http_sender import HttpSender, Receiver
from pdsno_cli.messaging.http_wire import Item
from pdsno_cli.messaging.transport import Arrival, FailoverMember, Loss

if TYPE_CHECKING:
    from pdsno_cli.messaging.http_challenge import Identity
    from pdsno_cli.messaging.transport import Listener, Publication

log = logging.getLogger(__name__)


class HttpClient(FailoverMember):
    """Carries messages to one controller's receivers; implements ``transport.FailoverMember``.

    Unlike others it may be started again after a stop. Without receivers it is up at once:
    nobody is above, and those below come by themselves. A ``source`` is the IPv4 address that
    connections come from. Without an ``identity`` it gets no mail.
    """

    def __init__(
        self,
        receivers: Sequence[Receiver],
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
        """What every parent that answers has up, as of its last answer; None with no parents."""
        names = [
            sender.receiver_transports
            for sender in self._senders
            if sender.receiver.parent and sender.receiver_transports is not None
        ]
        if not any(receiver.parent for receiver in self._receivers):
            return None
        return frozenset.intersection(*names) if names else frozenset()

    def reaches(self, topic: str) -> bool:
        """Return True if a receiver wants ``topic``: over HTTP there is nobody else."""
        return any(receiver.wants(topic) for receiver in self._receivers)

    def start(self, listener: Listener) -> None:
        """Ask every parent whether it is there, and keep asking."""
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
        """Hand one message to those who receive it; False when none of them takes it now."""
        taken = [
            sender.give(Item(topic, data.decode()))
            for sender in self._senders
            if sender.receiver.wants(topic)
        ]
        return any(taken)

    def subscribe(self, topic_filter: str) -> None:
        """What comes over HTTP is chosen by the other side, which knows who its children are."""

    def reconnect(self, reason: str) -> None:
        """Nothing to do: each request may be another connection."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Send ``farewell``, wait shortly for the answer, and end."""
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

    # The senders' threads call these.

    def came(self, items: Sequence[Item]) -> None:
        """Pass on the mail of an answer."""
        listener = self._listener
        if listener is not None:
            for item in items:
                _call(listener.on_message, Arrival(item.topic, item.data.encode()))

    def answers(self, sender: HttpSender) -> None:
        """A receiver answered for the first time, or again."""
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
                _call(listener.on_up, self._connection, False)

    def silent(self, sender: HttpSender, reason: str, retry_in: float) -> None:
        """A receiver does not answer."""
        if not sender.receiver.parent:
            return
        with self._lock:
            if sender not in self._senders:
                return
            self._up.discard(sender.receiver.controller_id)
            listener = self._listener
            if not self._up and listener is not None:
                _call(listener.on_down, Loss(reason=reason, retry_in=retry_in))


def _call(method: Callable[..., None], *args: object) -> None:
    """Call a listener; what it raises is logged and does not end the thread."""
    try:
        method(*args)
    except Exception:
        log.exception("a listener of the HTTP transport failed")

"""A person's seat at a running topology: gives signed orders and hears what comes of them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.sequence_counter import SequenceCounter
from pdsno_cli.model.errors import BrokerError, OperationError
from pdsno_cli.model.messages import OPERATOR
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.runtime.acl import publish_acl
from pdsno_cli.runtime.signal_safe_queue import SignalSafeQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication, Transport
    from pdsno_cli.model.messages import Command, Envelope
    from pdsno_cli.spec.topology import Topology

PATIENCE = 10.0  # seconds within which the seat is taken
_PAUSE = 0.05  # seconds to wait for a transport that is full
_WAKE = 0.2  # seconds after which a wait for nothing is looked into: Ctrl-C must get through


class Operator:
    """One session, with an epoch of its own: the time of its start in microseconds.

    ``on_trouble`` hears, on the transport's thread, that the connection is lost, and that it is back.
    The thread that makes it owns it; the transport's thread calls the ``on_`` methods.
    """

    def __init__(
        self,
        *,
        topology: Topology,
        key: bytes,
        transport: Transport,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._topics = topology.topics
        self._codec = Codec(
            key, topology.topics, topology.broker.max_payload, publish_acl(topology)
        )
        self._transport = transport
        self._on_trouble = on_trouble
        self._epoch = time.time_ns() // 1000
        self._sequence = SequenceCounter()
        self._news: SignalSafeQueue[Arrival | None] = SignalSafeQueue()
        self._joined = threading.Event()
        self._lost = ""
        self._fatal = ""

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Join for as long as the block lasts; BrokerError when that cannot be."""
        self._transport.start(self)
        try:
            if not self._joined.wait(PATIENCE):
                raise BrokerError(self._lost or f"no answer within {PATIENCE:g} s")
            self._require_joined()
            yield
        finally:
            self._transport.stop()

    def order(self, controller_id: str, command: Command, *, deadline: float) -> str:
        """Send an order to one controller; return its message_id.

        ``deadline`` is on the monotonic clock; OperationError when no transport took it by then.
        """
        topic = self._topics.command(controller_id)
        rule = self._topics.rule("command")
        data = self._codec.seal(
            topic=topic,
            sender_id=OPERATOR,
            message_type="command",
            payload=command,
            epoch=self._epoch,
            seq=self._sequence.next(self._topics.stream(topic)),
        )
        while not self._transport.publish(topic, data, qos=rule.qos, retain=rule.retain):
            self._require_joined()
            if time.monotonic() > deadline:
                raise OperationError(f"the order to {controller_id} could not be sent in time")
            time.sleep(_PAUSE)
        return self.open(topic, data).message_id

    def open(self, topic: str, data: bytes) -> Envelope:
        """Return a verified message; RefusedError where no receiver would take it."""
        return self._codec.open(topic, data)

    def arrivals(self, deadline: float | None = None) -> Iterator[Arrival]:
        """Yield what comes until ``deadline`` on the monotonic clock; BrokerError when it ends."""
        while True:
            now = time.monotonic()
            if deadline is not None and deadline <= now:
                return
            look = now + _WAKE
            arrival = self._news.get(look if deadline is None else min(look, deadline))
            if arrival is None:
                self._require_joined()
                continue
            yield arrival
            arrival.release()

    def messages(self, deadline: float) -> Iterator[Envelope]:
        """Yield what comes until ``deadline``, verified; what no receiver takes is left out."""
        for arrival in self.arrivals(deadline):
            try:
                envelope = self.open(arrival.topic, arrival.data)
            except RefusedError:
                continue
            yield envelope

    def _require_joined(self) -> None:
        if self._fatal:
            raise BrokerError(self._fatal)

    # The transport's thread calls these.

    def will(self, connection: int) -> Publication | None:
        """Nobody is told of an operator that goes."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Every filter is granted."""
        if self._lost and self._joined.is_set():
            self._on_trouble("connected again")
        self._lost = ""
        self._joined.set()

    def on_message(self, arrival: Arrival) -> None:
        """A message came."""
        self._news.put(arrival)

    def on_down(self, loss: Loss) -> None:
        """The connection is lost, or could not be made: a command gives up on what was refused."""
        if loss.retry_in is None or (loss.refused and not self._joined.is_set()):
            self._fatal = loss.reason
            self._joined.set()
            self._news.put(None)
        elif loss.reason != self._lost and self._joined.is_set():
            self._on_trouble(loss.reason)
        self._lost = loss.reason

    def on_alarm(self, alarm: Alarm) -> None:
        """Something that a person should look into."""
        self._on_trouble(alarm.text)

"""The operator of a running topology: sends signed orders and receives messages."""

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
    from collections.abc import Callable, Iterator, Sequence

    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication, Transport
    from pdsno_cli.model.messages import Command, Envelope
    from pdsno_cli.spec.topology import Topology

_TIMEOUT = 10.0  # seconds to connect
_PAUSE = 0.05  # seconds until the next try of a full transport
_POLL = 0.2  # seconds that a wait may block: Ctrl-C must get through


class Operator:
    """One session, with an epoch of its own: the time of its start in microseconds.

    ``on_trouble`` is called on the transport's thread when the connection is lost or back. The
    creating thread owns the session; the transport's thread calls the ``on_`` methods.
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
        self._inbox: SignalSafeQueue[Arrival | None] = SignalSafeQueue()
        self._connected = threading.Event()
        self._earlier: list[Envelope] = []  # messages to yield again
        self._lost = ""
        self._fatal = ""

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Connect for as long as the block lasts; raises BrokerError if that is impossible."""
        self._transport.start(self)
        try:
            if not self._connected.wait(_TIMEOUT):
                raise BrokerError(self._lost or f"no answer within {_TIMEOUT:g} s")
            self._require_connected()
            yield
        finally:
            self._transport.stop()

    def order(self, controller_id: str, command: Command, *, deadline: float) -> str:
        """Send an order to one controller; return its message_id.

        Raises OperationError if no transport has accepted it by ``deadline`` on the monotonic clock.
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
            self._require_connected()
            if time.monotonic() > deadline:
                raise OperationError(f"the order to {controller_id} could not be sent in time")
            time.sleep(_PAUSE)
        return self.open(topic, data).message_id

    def open(self, topic: str, data: bytes) -> Envelope:
        """Return a verified message; raises RefusedError if a receiver would refuse it."""
        return self._codec.open(topic, data)

    def arrivals(self, deadline: float | None = None) -> Iterator[Arrival]:
        """Yield arrivals until ``deadline`` on the monotonic clock.

        Raises BrokerError if the connection fails permanently.
        """
        while True:
            now = time.monotonic()
            if deadline is not None and deadline <= now:
                return
            poll = now + _POLL
            arrival = self._inbox.get(poll if deadline is None else min(poll, deadline))
            if arrival is None:
                self._require_connected()
                continue
            yield arrival
            arrival.release()

    def messages(self, deadline: float) -> Iterator[Envelope]:
        """Yield verified messages until ``deadline``; refused ones are left out."""
        earlier, self._earlier = self._earlier, []
        yield from earlier
        for arrival in self.arrivals(deadline):
            try:
                envelope = self.open(arrival.topic, arrival.data)
            except RefusedError:
                continue
            yield envelope

    def put_back(self, envelopes: Sequence[Envelope]) -> None:
        """Have ``messages`` yield these first, to whoever asks next."""
        self._earlier = [*envelopes]

    def _require_connected(self) -> None:
        if self._fatal:
            raise BrokerError(self._fatal)

    # The transport's thread calls these.

    def will(self, connection: int) -> Publication | None:
        """Return None: an operator has no will."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Note that every filter is granted."""
        if self._lost and self._connected.is_set():
            self._on_trouble("connected again")
        self._lost = ""
        self._connected.set()

    def on_message(self, arrival: Arrival) -> None:
        """Queue a message."""
        self._inbox.put(arrival)

    def on_down(self, loss: Loss) -> None:
        """Note that the connection is lost or could not be made; a refused first one is permanent."""
        if loss.retry_in is None or (loss.refused and not self._connected.is_set()):
            self._fatal = loss.reason
            self._connected.set()
            self._inbox.put(None)
        elif loss.reason != self._lost and self._connected.is_set():
            self._on_trouble(loss.reason)
        self._lost = loss.reason

    def on_alarm(self, alarm: Alarm) -> None:
        """Report an alarm as trouble."""
        self._on_trouble(alarm.text)

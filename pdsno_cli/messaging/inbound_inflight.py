"""Received QoS 1 and 2 messages of one connection that are not yet acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pdsno_cli.messaging.wire import answer


class PendingAck:
    """The acknowledgement of one message. Call it, from any thread, once the message is handled."""

    __slots__ = ("_wake", "done", "packet_id", "qos")

    def __init__(self, qos: int, packet_id: int, wake: Callable[[], None]) -> None:
        self.qos = qos
        self.packet_id = packet_id
        self.done = False
        self._wake = wake

    def __call__(self) -> None:
        """Allow the acknowledgement, after those of all earlier messages; again without effect."""
        self.done = True
        self._wake()


class InboundInflight:
    """The unacknowledged messages of one connection, in the order of arrival.

    Each connection has a window of its own, since a packet id means another message after a
    reconnect. Acknowledgements go out in order: some brokers (rumqttd) close the connection
    otherwise. The network thread owns it; ``wake`` is called from any thread.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._pending: deque[PendingAck] = deque()

    def add(self, qos: int, packet_id: int) -> PendingAck:
        """Add a message of QoS 1 or 2 as the last one."""
        pending = PendingAck(qos, packet_id, self._wake)
        self._pending.append(pending)
        return pending

    def pop_acks(self) -> bytes:
        """Return the PUBACK and PUBREC packets that can be sent now, joined."""
        pending = self._pending
        packets = []
        while pending and pending[0].done:
            first = pending.popleft()
            packets.append(answer(first.qos, first.packet_id))
        return b"".join(packets)

"""What one connection received and did not yet acknowledge, in the order of arrival."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pdsno_cli.messaging.wire import answer


class Release:
    """Says of one message that it is dealt with; called from any thread, again without effect."""

    __slots__ = ("_ring", "done", "packet_id", "qos")

    def __init__(self, qos: int, packet_id: int, ring: Callable[[], None]) -> None:
        self.qos = qos
        self.packet_id = packet_id
        self.done = False
        self._ring = ring

    def __call__(self) -> None:
        """Let the message be acknowledged once all before it are."""
        self.done = True
        self._ring()


class Releases:
    """The messages of one connection that wait for their release.

    A packet id means another message after a reconnect, so each connection has a window of its
    own: a release from before finds its window forgotten. Brokers may close on who acknowledges
    out of order (rumqttd does), so what is released waits for what came before it.

    The network thread calls all but the releases; ``ring`` wakes it, from any thread.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._waiting: deque[Release] = deque()

    def take(self, qos: int, packet_id: int) -> Release:
        """Take in a message of QoS 1 or 2 as the last one."""
        release = Release(qos, packet_id, self._ring)
        self._waiting.append(release)
        return release

    def due(self) -> bytes:
        """Return the PUBACK and PUBREC packets that may go out now, as one piece."""
        waiting = self._waiting
        answers = []
        while waiting and waiting[0].done:
            release = waiting.popleft()
            answers.append(answer(release.qos, release.packet_id))
        return b"".join(answers)

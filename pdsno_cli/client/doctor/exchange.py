"""A connection to the broker that records what arrives, for the length of a check."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from pdsno_cli.messaging.transport import NullListener
from pdsno_cli.model.printable import shown
from pdsno_cli.runtime.mqtt_wiring import probe_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_ANSWER = 2.0  # seconds for the broker to deliver something
Found = TypeVar("Found")


class Exchange(NullListener):
    """Subscribes and publishes; the transport's thread calls the ``on_`` methods."""

    def __init__(self, topology: Topology, access: BrokerAccess, filters: tuple[str, ...]) -> None:
        self._transport = probe_transport(topology, access, filters)
        self._changed = threading.Condition()
        self._up = False
        self.trouble: str | None = None  # why it is not connected, or not subscribed
        self.arrivals: list[tuple[str, bytes, bool]] = []  # topic, payload, retained

    def __enter__(self) -> Self:
        self._transport.start(self)
        self.wait(lambda: self._up or self.trouble)
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.stop()

    def publish(self, topic: str, data: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1."""
        self._transport.publish(topic, data, qos=1, retain=retain)

    def wait(self, condition: Callable[[], Found | None], seconds: float = _ANSWER) -> Found | None:
        """Return what ``condition`` returns once it is true; None if that takes too long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = condition()
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found or None
                self._changed.wait(left)

    def came(self, topic: str, data: bytes | None = None) -> bool:
        """Return True if a message arrived on a topic, with ``data`` where that is given."""
        return any(t == topic and data in (None, d) for t, d, _ in self.arrivals)

    def first(self, level: str) -> str | None:
        """Return the first payload as text on a topic with this last level."""
        found = (d for topic, d, _ in self.arrivals if topic.rsplit("/", 1)[-1] == level)
        data = next(found, None)
        return None if data is None else shown(data.decode(errors="replace"))

    def on_up(self, connection: int, session_present: bool) -> None:
        """Note that every filter is granted."""
        with self._changed:
            self._up = True
            self._changed.notify_all()

    def on_down(self, loss: Loss) -> None:
        """Note why there is no connection."""
        with self._changed:
            self.trouble = loss.reason
            self._changed.notify_all()

    def on_alarm(self, alarm: Alarm) -> None:
        """Note what the broker refuses."""
        with self._changed:
            self.trouble = alarm.text
            self._changed.notify_all()

    def on_message(self, arrival: Arrival) -> None:
        """Record a message."""
        arrival.release()
        with self._changed:
            self.arrivals.append((arrival.topic, bytes(arrival.data), arrival.retained))
            self._changed.notify_all()

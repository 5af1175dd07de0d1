"""A listener that records its calls and can be waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication

TIMEOUT = 15.0


class Recorder:
    """Records every call; ``wait`` returns once a condition holds."""

    def __init__(self, will_topic: str | None = None, *, qos: int = 1, retain: bool = True) -> None:
        self.ups: list[tuple[int, bool]] = []
        self.downs: list[str] = []
        self.losses: list[Loss] = []  # of the same
        self.ends: list[str] = []  # final losses
        self.alarms: list[Alarm] = []
        self.messages: list[tuple[str, bytes, bool]] = []
        self._will = will_topic, qos, retain
        self._changed = threading.Condition()

    def will(self, connection: int) -> Publication | None:
        topic, qos, retain = self._will
        if topic is None:
            return None
        return Publication(topic=topic, data=b"lost %d" % connection, qos=qos, retain=retain)

    def on_up(self, connection: int, session_present: bool) -> None:
        self._record(self.ups, (connection, session_present))

    def on_message(self, arrival: Arrival) -> None:
        self._record(self.messages, (arrival.topic, arrival.data, arrival.retained))
        arrival.release()

    def on_down(self, loss: Loss) -> None:
        if loss.retry_in is None:
            self._record(self.ends, loss.reason)
            return
        self.losses.append(loss)
        self._record(self.downs, loss.reason)

    def on_alarm(self, alarm: Alarm) -> None:
        self._record(self.alarms, alarm)

    def _record(self, into: list, item: object) -> None:
        with self._changed:
            into.append(item)
            self._changed.notify_all()

    def wait(self, holds: Callable[[Recorder], object], seconds: float = TIMEOUT) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds(self):
                left = deadline - time.monotonic()
                assert left > 0, f"timed out: {vars(self)}"
                self._changed.wait(left)

    def wait_up(self, times: int = 1) -> None:
        self.wait(lambda r: len(r.ups) >= times)

    def wait_messages(self, count: int) -> None:
        self.wait(lambda r: len(r.messages) >= count)

    @property
    def data(self) -> list[bytes]:
        return [data for _, data, _ in self.messages]

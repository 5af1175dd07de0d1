"""Watches the retained message that a controller publishes, and puts it right.

Whoever replaces it at the broker evicts it for all who connect later.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from pdsno_cli.model.messages import Event
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ports import Context

log = logging.getLogger(__name__)

LOOK_DELAY = 0.5  # seconds after which the last of several messages that came is judged
BUDGET = 5  # times in a window that the message is published again: two publishers must not fight
WINDOW = 600.0  # seconds


class OwnRetained:
    """The retained message on one ``topic``. Owner's thread only.

    ``publish`` publishes it again.
    """

    def __init__(self, context: Context, topic: str, publish: Callable[[], None]) -> None:
        self.topic = topic
        self._context = context
        self._publish = publish
        self._foreign: str | None = None  # what the last message was, where it is not ours
        self._looking = False
        self._repairs: deque[float] = deque(maxlen=BUDGET)

    def seen(self, foreign: str | None) -> None:
        """Take note of a message on the topic: ours, or ``foreign`` as that says."""
        self._foreign = foreign
        if foreign is not None and not self._looking:
            self._looking = True
            self._context.scheduler.after(LOOK_DELAY, self._look)

    def _look(self) -> None:
        self._looking = False
        foreign, self._foreign = self._foreign, None
        if foreign is None:
            return
        now = time.monotonic()
        if len(self._repairs) == BUDGET and now < self._repairs[0] + WINDOW:
            log.debug("%s: %s; left as it is", self.topic, foreign)
            return
        self._repairs.append(now)
        last = len(self._repairs) == BUDGET and now < self._repairs[0] + WINDOW
        log.warning("%s: %s; published again", self.topic, foreign)
        spec = self._context.spec
        event = Event(
            event="policy_restored",
            severity="error" if last else "warning",
            subject=spec.controller_id,
            region=spec.region,
            detail={
                "topic": self.topic,
                "why": foreign,
                **({"left_alone_for": WINDOW} if last else {}),
            },
        )
        with self._context.publisher.unit() as unit:
            unit.stage(self._context.topology.topics.events(spec.region or SYSTEM), event)
        self._publish()

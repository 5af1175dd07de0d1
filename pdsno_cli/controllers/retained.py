"""Watches the retained policy that a controller publishes, and publishes it again if replaced.

A retained message of somebody else takes its place at the broker for all who connect later.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from pdsno_cli.delivery.endpoint import announce, own_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ports import Context

log = logging.getLogger(__name__)

CHECK_DELAY = 0.5  # seconds after which the last of several messages is judged
BUDGET = 5  # repairs in a window: two publishers must not fight
WINDOW = 600.0  # seconds


class RetainedPolicy:
    """The retained message on one ``topic``, which ``publish`` publishes again.

    Owner's thread only.
    """

    def __init__(self, context: Context, topic: str, publish: Callable[[], None]) -> None:
        self._topic = topic
        self._context = context
        self._publish = publish
        self._foreign: str | None = None  # what is wrong with the last message
        self._check_due = False
        self._repairs: deque[float] = deque(maxlen=BUDGET)

    def arrived(self, foreign: str | None) -> None:
        """Note a message on the topic; ``foreign`` describes it if it is not this controller's."""
        self._foreign = foreign
        if foreign is not None and not self._check_due:
            self._check_due = True
            self._context.scheduler.after(CHECK_DELAY, self._check)

    def rejected(self, topic: str, why: str) -> None:
        """Note a message that could not be verified, if it is on the topic."""
        if topic == self._topic:
            self.arrived(why)

    def _check(self) -> None:
        self._check_due = False
        foreign, self._foreign = self._foreign, None
        if foreign is None:
            return
        now = time.monotonic()
        if self._budget_spent(now):
            log.debug("%s: %s; left as it is", self._topic, foreign)
            return
        self._repairs.append(now)
        last = self._budget_spent(now)
        log.warning("%s: %s; published again", self._topic, foreign)
        event = own_event(
            self._context,
            "policy_restored",
            "error" if last else "warning",
            {
                "topic": self._topic,
                "why": foreign,
                **({"left_alone_for": WINDOW} if last else {}),
            },
        )
        announce(self._context, event)
        self._publish()

    def _budget_spent(self, now: float) -> bool:
        return len(self._repairs) == BUDGET and now < self._repairs[0] + WINDOW

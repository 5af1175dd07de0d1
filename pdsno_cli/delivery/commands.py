"""Executes an operator's commands: each once, from an entitled sender, and in time.

The requests of controllers to repair a stream are exempt: they must work with a wrong clock.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from pdsno_cli.delivery.endpoint import announce, own_event
from pdsno_cli.delivery.quarantine import resolve
from pdsno_cli.model.messages import OPERATOR
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.delivery.inbox import Inbox
    from pdsno_cli.delivery.ports import Consumer
    from pdsno_cli.model.messages import Command, Envelope

log = logging.getLogger(__name__)

WINDOW = 60.0  # seconds by which the clocks of operator and controller may differ
_REMEMBERED = 1000  # commands; more than people give within the window


class CommandHandler:
    """The commands to one controller, each executed once. Owner's thread only.

    A command is remembered while this process lives, and for a day once it is answered: the answer
    is kept in the transaction of its effect. ``open_message`` verifies a message, ``clock`` returns
    the time of day in Unix seconds.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        inbox: Inbox,
        consumer: Consumer,
        open_message: Callable[[str, bytes], Envelope],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._inbox = inbox
        self._consumer = consumer
        self._open_message = open_message
        self._clock = clock
        self._known: deque[str] = deque(maxlen=_REMEMBERED)

    def handle(self, order: Envelope, command: Command) -> None:
        """Execute a command; RefusedError when that cannot be."""
        self._require_entitled(order, command)
        message_id = order.message_id
        if message_id in self._known or self._endpoint.store.answered(message_id):
            raise RefusedError(
                Reason.REPLAYED, f"the order {message_id} to {command.order} came before"
            )
        self._known.append(message_id)
        log.info("%s orders: %s", order.sender_id, command.order)
        skew = seconds_ahead(order.timestamp, self._clock())
        try:
            _require_timely(skew)
            if command.order in ("replay", "discard"):
                resolve(self._endpoint, self._inbox, self._open_message, order, command)
            else:
                self._consumer.execute(order, command)
        except RefusedError as refused:
            self._announce(order, command, refused, skew)
            raise

    def _require_entitled(self, order: Envelope, command: Command) -> None:
        sender = self._endpoint.topology.controllers.get(order.sender_id)
        if order.sender_id != OPERATOR and (sender is None or sender.role is Role.LOCAL):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{order.sender_id!r} may not order to {command.order}"
            )

    def _announce(
        self, order: Envelope, command: Command, refused: RefusedError, skew: float
    ) -> None:
        event = own_event(
            self._endpoint,
            "command_refused",
            "warning",
            {
                "order": command.order,
                "sender": order.sender_id,
                "reason": refused.reason.value,
                "why": refused.detail,
                "skew": round(skew, 3),
            },
        )
        announce(self._endpoint, event, answers=order.message_id)


def seconds_ahead(timestamp: str, now: float) -> float:
    """Return by how much an RFC 3339 time is ahead of ``now``; RefusedError when it is invalid."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError as exc:
        raise RefusedError(Reason.UNPARSABLE, f"invalid RFC 3339 time {timestamp!r}") from exc
    if moment.tzinfo is None:
        raise RefusedError(Reason.UNPARSABLE, f"{timestamp!r} has no offset from UTC")
    return moment.timestamp() - now


def _require_timely(skew: float) -> None:
    if abs(skew) > WINDOW:
        side = "ahead of" if skew > 0 else "behind"
        raise RefusedError(
            Reason.UNTIMELY,
            f"the order is {abs(skew):.0f} s {side} this controller's clock, "
            f"more than {WINDOW:g} s",
        )

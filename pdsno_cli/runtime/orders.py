"""Orders that people give: judged by who, by when and by whether they came before.

What controllers ask of each other to repair a stream is exempt: a clock that is off must not stop
that.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from pdsno_cli.model.messages import OPERATOR, Event
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import SYSTEM
from pdsno_cli.runtime.quarantine import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.controllers.ports import Role as RolePort
    from pdsno_cli.model.messages import Command, Envelope

log = logging.getLogger(__name__)

WINDOW = 60.0  # seconds by which an order's clock and the receiver's may differ
_REMEMBERED = 1000  # orders; more than people give within the window


class Orders:
    """The orders to one controller, each carried out once. Owner's thread only.

    An order is known while this process lives, and for a day once it is answered: the answer is
    kept in the transaction of what the order brings about. ``open_message`` verifies a message,
    ``clock`` gives the time of day in Unix seconds.
    """

    def __init__(
        self,
        context: Context,
        role: RolePort,
        open_message: Callable[[str, bytes], Envelope],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._context = context
        self._role = role
        self._open = open_message
        self._clock = clock
        self._known: deque[str] = deque(maxlen=_REMEMBERED)

    def take(self, envelope: Envelope, command: Command) -> None:
        """Have the role carry out an order; RefusedError when it is not to be."""
        self._require_entitled(envelope, command)
        message_id = envelope.message_id
        if message_id in self._known or self._context.store.answered(message_id):
            raise RefusedError(
                Reason.REPLAYED, f"the order {message_id} to {command.order} came before"
            )
        self._known.append(message_id)
        log.info("%s orders: %s", envelope.sender_id, command.order)
        skew = seconds_ahead(envelope.timestamp, self._clock())
        try:
            _require_timely(skew)
            if command.order in ("replay", "discard"):
                settle(self._context, self._role.ledger, self._open, envelope, command)
            else:
                self._role.obey(envelope, command)
        except RefusedError as refused:
            self._announce(envelope, command, refused, skew)
            raise

    def _require_entitled(self, envelope: Envelope, command: Command) -> None:
        sender = self._context.topology.controllers.get(envelope.sender_id)
        if envelope.sender_id != OPERATOR and (sender is None or sender.role is Role.LOCAL):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{envelope.sender_id!r} may not order to {command.order}"
            )

    def _announce(
        self, envelope: Envelope, command: Command, refused: RefusedError, skew: float
    ) -> None:
        spec = self._context.spec
        event = Event(
            event="command_refused",
            severity="warning",
            subject=spec.controller_id,
            region=spec.region,
            detail={
                "order": command.order,
                "sender": envelope.sender_id,
                "reason": refused.reason.value,
                "why": refused.detail,
                "skew": round(skew, 3),
            },
        )
        topic = self._context.topology.topics.events(spec.region or SYSTEM)
        with self._context.publisher.unit() as unit:
            unit.stage(topic, event, answers=envelope.message_id)


def seconds_ahead(timestamp: str, now: float) -> float:
    """Return by how much an RFC 3339 time is ahead of ``now``; RefusedError when it is none."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError as exc:
        raise RefusedError(Reason.UNPARSABLE, f"{timestamp!r} is no RFC 3339 time") from exc
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

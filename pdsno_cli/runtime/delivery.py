"""Answers acknowledgements and commands: both ends of every durable stream of one controller."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import receives
from pdsno_cli.model.horizon import is_ahead
from pdsno_cli.model.messages import DELIVERY_ORDERS, Ack, Command, Envelope, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.marks import START, Position
from pdsno_cli.runtime.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ports import Context, Role
    from pdsno_cli.runtime.outbox import Outbox

log = logging.getLogger(__name__)

RESEND_PAUSE = 0.15  # seconds between two times that a stream is sent again, less than ASK_DELAY


class Delivery:
    """Takes what others say of this controller's streams, and of their own. Owner's thread only."""

    def __init__(
        self,
        context: Context,
        outbox: Outbox,
        role: Role,
        open_message: Callable[[str, bytes], Envelope],
        renumber: Callable[[str, Position], None],
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._role = role
        self._orders = Orders(context, role, open_message)
        self._renumber = renumber
        self._resent: dict[str, float] = {}  # when each stream was, on the monotonic clock
        self._requests: dict[str, Position] = {}  # the last one of each controller

    def take(self, envelope: Envelope) -> bool:
        """Act on an acknowledgement or a command; False when the message is neither.

        RefusedError when its sender has no say over the stream.
        """
        payload = envelope.payload
        if isinstance(payload, Ack):
            self._require_receiver(envelope, payload.stream)
            self._outbox.acknowledged(payload.stream, Position(payload.epoch, payload.seq))
        elif isinstance(payload, Command) and payload.order not in DELIVERY_ORDERS:
            self._orders.take(envelope, payload)
        elif isinstance(payload, Command):
            self._require_next(envelope)
            self._carry_out(envelope, payload)
        else:
            if isinstance(payload, PolicyDocument):
                # Parents publish policy whenever they connect: what was sent before that, to
                # nobody, need not wait for its turn to be sent again.
                self._outbox.nudge(partial(receives, self._context.topology, envelope.sender_id))
            return False
        return True

    def _carry_out(self, envelope: Envelope, command: Command) -> None:
        """Repair a stream as the other end of it asks."""
        if command.order == "base":
            if self._role.ledger is not None:
                self._role.ledger.base(envelope, command)
            return
        self._require_receiver(envelope, command.stream)
        if command.order == "resend":
            self._resend(envelope.sender_id, command)
        else:
            after = Position(command.epoch, command.seq)
            with suppress(RefusedError):  # it need not be a number of ours
                self._outbox.acknowledged(command.stream, after)
            self._renumber(command.stream, after)

    def _require_next(self, envelope: Envelope) -> None:
        """Refuse a request that came before: whoever caught it could have it carried out for ever.

        A later one may overtake it on another transport; it is then void, and asked again.
        """
        sender, number = envelope.sender_id, Position(envelope.epoch, envelope.seq)
        known = self._requests.get(sender, START)
        if number <= known or is_ahead(number.epoch, time.time(), known.epoch):
            raise RefusedError(
                Reason.REPLAYED if number <= known else Reason.UNTIMELY,
                f"request {number.epoch}/{number.seq} of {sender} after {known.epoch}/{known.seq}",
            )
        self._requests[sender] = number

    def _resend(self, receiver: str, command: Command) -> None:
        """Send a stream again, or tell that its beginning is gone, and then everything anew."""
        stream, now = command.stream, time.monotonic()
        if now < self._resent.get(stream, -RESEND_PAUSE) + RESEND_PAUSE:
            return  # whoever still misses something asks again
        self._resent[stream] = now
        log.warning("%s asks for %s after %d/%d", receiver, stream, command.epoch, command.seq)
        if self._outbox.resend(stream, Position(command.epoch, command.seq)):
            return
        base = self._outbox.beginning(stream)
        answer = Command(order="base", stream=stream, epoch=base.epoch, seq=base.seq)
        self._context.publisher.publish(self._context.topology.topics.command(receiver), answer)
        self._outbox.resend(stream, base)
        if not stream.startswith("events/"):
            self._role.tell_all()

    def _require_receiver(self, envelope: Envelope, stream: str) -> None:
        if not receives(self._context.topology, envelope.sender_id, stream):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{envelope.sender_id!r} does not receive {stream}"
            )

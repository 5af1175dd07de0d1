"""Answers acknowledgements and commands: both ends of every durable stream of one controller."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import receives
from pdsno_cli.model.messages import DELIVERY_ORDERS, Ack, Command, Envelope, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.marks import Position
from pdsno_cli.runtime.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ports import Context, Role
    from pdsno_cli.runtime.outbox import Outbox

log = logging.getLogger(__name__)


class Delivery:
    """Takes what others say of this controller's streams, and of their own. Owner's thread only."""

    def __init__(
        self,
        context: Context,
        outbox: Outbox,
        role: Role,
        open_message: Callable[[str, bytes], Envelope],
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._role = role
        self._orders = Orders(context, role, open_message)

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
        elif isinstance(payload, Command) and payload.order == "resend":
            self._require_receiver(envelope, payload.stream)
            self._resend(envelope.sender_id, payload)
        elif isinstance(payload, Command):
            if self._role.ledger is not None:
                self._role.ledger.base(envelope, payload)
        else:
            if isinstance(payload, PolicyDocument):
                # Parents publish policy whenever they connect: what was sent before that, to
                # nobody, need not wait for its turn to be sent again.
                self._outbox.nudge(partial(receives, self._context.topology, envelope.sender_id))
            return False
        return True

    def _resend(self, receiver: str, command: Command) -> None:
        """Send a stream again, or tell that its beginning is gone, and then everything anew."""
        stream = command.stream
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

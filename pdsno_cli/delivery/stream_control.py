"""Handles what the other end of a stream asks for: acknowledgements, resends, new numbers."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import receives
from pdsno_cli.model.epochs import is_ahead
from pdsno_cli.model.messages import DELIVERY_ORDERS, Ack, Command, Envelope, PolicyDocument
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import START, Offset

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.commands import CommandHandler
    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.delivery.inbox import Inbox
    from pdsno_cli.delivery.ports import Consumer

log = logging.getLogger(__name__)

RESEND_PAUSE = 0.15  # seconds between two resends of a stream, less than REQUEST_DELAY


class StreamControl:
    """The control messages about one controller's streams. Owner's thread only.

    An operator's commands go to ``commands``. ``renumber`` is called with a stream and the number
    that its receiver is at, where that accepts no number of this epoch.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        inbox: Inbox,
        consumer: Consumer,
        commands: CommandHandler,
        renumber: Callable[[str, Offset], None],
    ) -> None:
        self._endpoint = endpoint
        self._sender = endpoint.publisher.sender
        self._inbox = inbox
        self._consumer = consumer
        self._commands = commands
        self._renumber = renumber
        self._resent: dict[str, float] = {}  # when each stream was, on the monotonic clock
        self._requests: dict[str, Offset] = {}  # the last one of each controller

    def handle(self, message: Envelope) -> bool:
        """Handle an acknowledgement or a command. Return False if the message is neither.

        RefusedError when its sender does not receive the stream.
        """
        payload = message.payload
        if isinstance(payload, Ack):
            self._require_receiver(message, payload.stream)
            self._sender.acknowledged(payload.stream, Offset(payload.epoch, payload.seq))
        elif isinstance(payload, Command) and payload.order not in DELIVERY_ORDERS:
            self._commands.handle(message, payload)
        elif isinstance(payload, Command):
            self._require_next(message)
            self._repair(message, payload)
        else:
            if isinstance(payload, PolicyDocument):
                # Parents publish policy whenever they connect; they missed what was sent before.
                self._sender.expect_soon(
                    partial(receives, self._endpoint.topology, message.sender_id)
                )
            return False
        return True

    def _repair(self, message: Envelope, command: Command) -> None:
        """Repair a stream as its other end requests."""
        if command.order == "base":
            self._inbox.skip_to(message, command)
            return
        self._require_receiver(message, command.stream)
        if command.order == "resend":
            self._resend(message.sender_id, command)
        else:
            after = Offset(command.epoch, command.seq)
            with suppress(RefusedError):  # it need not be a number of ours
                self._sender.acknowledged(command.stream, after)
            self._renumber(command.stream, after)

    def _require_next(self, message: Envelope) -> None:
        """Refuse a request that came before, so that a recorded one cannot be replayed.

        A later one may overtake it on another transport; it is then void, and repeated.
        """
        sender, number = message.sender_id, Offset(message.epoch, message.seq)
        known = self._requests.get(sender, START)
        if number <= known or is_ahead(number.epoch, time.time(), known.epoch):
            raise RefusedError(
                Reason.REPLAYED if number <= known else Reason.UNTIMELY,
                f"request {number.epoch}/{number.seq} of {sender} after {known.epoch}/{known.seq}",
            )
        self._requests[sender] = number

    def _resend(self, receiver: str, command: Command) -> None:
        """Send a stream again; where its beginning is deleted, publish the full state instead."""
        stream, now = command.stream, time.monotonic()
        if now < self._resent.get(stream, -RESEND_PAUSE) + RESEND_PAUSE:
            return  # a receiver that still misses something requests it again
        self._resent[stream] = now
        log.warning("%s asks for %s after %d/%d", receiver, stream, command.epoch, command.seq)
        if self._sender.resend(stream, Offset(command.epoch, command.seq)):
            return
        self._sender.flush_acknowledged()  # an audit finds nothing lost before the base
        base = self._sender.beginning(stream)
        answer = Command(order="base", stream=stream, epoch=base.epoch, seq=base.seq)
        topics = self._endpoint.topology.topics
        self._endpoint.publisher.publish(topics.command(receiver), answer)
        self._sender.resend(stream, base)
        if not stream.startswith("events/"):
            self._consumer.resync()

    def _require_receiver(self, message: Envelope, stream: str) -> None:
        if not receives(self._endpoint.topology, message.sender_id, stream):
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{message.sender_id!r} does not receive {stream}"
            )

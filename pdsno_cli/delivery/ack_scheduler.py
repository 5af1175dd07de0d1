"""Acknowledges commits to their senders, and requests what is missing.

A delayed acknowledgement, as TCP's (RFC 1122 section 4.2.3.2): a stream is acknowledged when
``ACK_EVERY`` of its messages are committed, else in the next round. A round comes ``ACK_DELAY``
after the last one, or later where that one took long, so that acknowledging 10,000 senders takes
no more than a twentieth of the owner's time.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Ack, Command

if TYPE_CHECKING:
    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.nib.offsets import Offset

log = logging.getLogger(__name__)

ACK_DELAY = 0.02  # seconds between two rounds, and twenty times what a round takes
ACK_EVERY = 64  # messages of one stream, well below a sender's window, that are not kept waiting
REQUEST_DELAY = 0.2  # seconds that a gap may last before it is reported: the rest may be on its way
_SHARE = 20

_Stream = tuple[str, str]  # sender and stream


class AckScheduler:
    """The acknowledgements and requests of one receiver. Owner's thread only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._due: dict[_Stream, tuple[Offset, int]] = {}  # and how many messages
        self._missing: dict[_Stream, Offset] = {}
        self._unfit: dict[_Stream, Offset] = {}
        self._not_before = 0.0  # when the next round may be, on the monotonic clock
        self._acking = False
        self._requesting = False

    def committed(self, sender: str, stream: str, to: Offset, messages: int = 1) -> None:
        """Acknowledge a stream up to ``to``, of which ``messages`` were committed just now."""
        key = sender, stream
        before = self._due.get(key)
        if before is not None:
            to, messages = max(to, before[0]), messages + before[1]
        self._missing.pop(key, None)
        if messages >= ACK_EVERY:
            self._due.pop(key, None)
            self._acknowledge(key, to)
            return
        self._due[key] = to, messages
        if not self._acking:
            self._acking = True
            wait = max(self._not_before - time.monotonic(), 0.0)
            self._endpoint.scheduler.after(wait, self._acknowledge_all)

    def missing(self, sender: str, stream: str, after: Offset) -> None:
        """Request the messages after this number, unless they arrive shortly."""
        key = sender, stream
        if key not in self._missing:  # else it is logged for each of thousands that follow a gap
            log.warning("%s: messages after %d/%d are missing", stream, *after)
            self._missing[key] = after
        self._request_soon()

    def unfit(self, sender: str, stream: str, after: Offset) -> None:
        """Request other numbers: messages come in an epoch that cannot follow ``after``."""
        self._unfit[sender, stream] = after
        self._request_soon()

    def _acknowledge_all(self) -> None:
        self._acking = False
        began = time.monotonic()
        due, self._due = self._due, {}
        for key, (to, _) in due.items():
            self._acknowledge(key, to)
        now = time.monotonic()
        self._not_before = now + max(ACK_DELAY, _SHARE * (now - began))

    def _acknowledge(self, key: _Stream, to: Offset) -> None:
        """Publish an acknowledgement; a lost one is repeated when the sender sends again."""
        sender, stream = key
        self._endpoint.publisher.publish(
            self._endpoint.topology.topics.ack(sender),
            Ack(stream=stream, epoch=to.epoch, seq=to.seq),
        )

    def _request_soon(self) -> None:
        if not self._requesting:
            self._requesting = True
            self._endpoint.scheduler.after(REQUEST_DELAY, self._request_all)

    def _request_all(self) -> None:
        self._requesting = False
        missing, self._missing = self._missing, {}
        unfit, self._unfit = self._unfit, {}
        for key, after in missing.items():
            if key not in unfit:
                self._request("resend", key, after)
        for key, after in unfit.items():
            self._request("renumber", key, after)

    def _request(self, order: Literal["resend", "renumber"], key: _Stream, after: Offset) -> None:
        sender, stream = key
        command = Command(order=order, stream=stream, epoch=after.epoch, seq=after.seq)
        topics = self._endpoint.topology.topics
        self._endpoint.publisher.publish(topics.command(sender), command)

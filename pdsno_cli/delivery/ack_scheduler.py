"""Acknowledges commits to their senders, and requests what is missing.

A delayed acknowledgement, as TCP's (RFC 1122 section 4.2.3.2): a stream is acknowledged when
``ACK_EVERY`` of its messages are committed, else in the next round. A round publishes as many
acknowledgements at a time, ``ACK_DELAY`` apart, since brokers drop what exceeds their queues. The
next round comes ``ACK_DELAY`` later, or so much later that acknowledging takes a twentieth of the
owner's time, however many senders there are.
"""

from __future__ import annotations

import logging
import time
from itertools import islice
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Ack, Command
from pdsno_cli.nib.offsets import START

if TYPE_CHECKING:
    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.nib.offsets import Offset

log = logging.getLogger(__name__)

ACK_DELAY = 0.02  # seconds
ACK_EVERY = 100  # messages of one stream, half a sender's window; acknowledgements at a time
REQUEST_DELAY = 0.2  # seconds that a gap may last before it is reported: the rest may be on its way
_SHARE = 20  # times what a round took, in which no other begins

_Stream = tuple[str, str]  # sender and stream


class AckScheduler:
    """The acknowledgements and requests of one receiver. Owner's thread only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._due: dict[_Stream, tuple[Offset, int]] = {}  # and how many messages
        self._missing: dict[_Stream, Offset] = {}
        self._unfit: dict[_Stream, Offset] = {}
        self._round: dict[_Stream, Offset] = {}  # the rest of it
        self._cost = 0.0  # seconds of processor time that it took so far
        self._not_before = 0.0  # when the next one may begin, on the monotonic clock
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
            self._round.pop(key, None)  # an older number, which would come after this one
            self._acknowledge(key, to)
            return
        self._due[key] = to, messages
        self._schedule_round()

    def missing(self, sender: str, stream: str, after: Offset) -> None:
        """Request the messages after this number, unless they arrive shortly."""
        key = sender, stream
        if key not in self._missing:  # else it is logged for each of thousands that follow a gap
            if after == START:
                log.info("%s: nothing is committed so far", stream)
            else:
                log.warning("%s: messages after %d/%d are missing", stream, *after)
            self._missing[key] = after
        self._request_soon()

    def unfit(self, sender: str, stream: str, after: Offset) -> None:
        """Request other numbers: messages come in an epoch that cannot follow ``after``."""
        self._unfit[sender, stream] = after
        self._request_soon()

    def _begin_round(self) -> None:
        due, self._due = self._due, {}
        self._round = {key: to for key, (to, _) in due.items()}
        self._cost = 0.0
        self._acknowledge_some()

    def _acknowledge_some(self) -> None:
        """Publish the next acknowledgements of the round; the last ones end it."""
        began = time.thread_time()  # the wall clock would count a freeze, and the work of others
        for key in list(islice(self._round, ACK_EVERY)):
            self._acknowledge(key, self._round.pop(key))
        self._cost += time.thread_time() - began
        if self._round:
            self._endpoint.scheduler.after(ACK_DELAY, self._acknowledge_some)
            return
        self._acking = False
        self._not_before = time.monotonic() + max(ACK_DELAY, _SHARE * self._cost)
        if self._due:
            self._schedule_round()

    def _schedule_round(self) -> None:
        if not self._acking:
            self._acking = True
            wait = max(self._not_before - time.monotonic(), 0.0)
            self._endpoint.scheduler.after(wait, self._begin_round)

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

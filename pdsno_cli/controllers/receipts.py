"""Tells senders how far their messages are committed, and asks for those that are missing."""

from __future__ import annotations

import logging
import math
import time
from itertools import islice
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Ack, Command

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context

log = logging.getLogger(__name__)

_Key = tuple[str, str]  # sender and stream
_Number = tuple[int, int]  # epoch and seq

ACK_DELAY = 0.02  # seconds between two rounds, in which a stream's acknowledgements become one
ACKS_AT_ONCE = 80  # streams acknowledged in a round: some ms of work; the others wait for the next
CROWD_DELAY = 0.2  # seconds after a round of that many: small ones cost as much in waking threads
ACK_EVERY = 64  # messages of one stream, well below a sender's window, that do not wait so
CROWD_TURN = 2.0  # seconds in which each stream has its turn, well before its sender sends again
ASK_DELAY = 0.2  # seconds that a gap may last before the sender is asked: it may be on its way


class _Due:
    """What one stream is owed: up to which number, and for how many messages."""

    __slots__ = ("messages", "number")

    def __init__(self, number: _Number) -> None:
        self.number = number
        self.messages = 0


class Receipts:
    """The acknowledgements and requests of one receiver. Owner's thread only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._due: dict[_Key, _Due] = {}  # whoever waits longest comes first
        self._missing: dict[_Key, _Number] = {}
        self._unfit: dict[_Key, _Number] = {}
        self._last = 0.0  # when the last round was, on the monotonic clock
        self._told = 0  # streams that it acknowledged
        self._scheduled = 0.0  # when the next round was planned
        self._crowd = 0  # streams that waited at once, since nothing did
        self._acking = False
        self._asking = False

    def committed(self, sender: str, stream: str, number: _Number, messages: int = 1) -> None:
        """All of the stream up to here is committed, of which so many messages just now."""
        key = sender, stream
        due = self._due.get(key)
        if due is None:
            due = self._due[key] = _Due(number)
        due.number = max(number, due.number)
        due.messages += messages
        self._missing.pop(key, None)
        self._acknowledge_soon()

    def missing(self, sender: str, stream: str, after: _Number) -> None:
        """Messages after this number are to come again, or for the first time."""
        key = sender, stream
        if key not in self._missing:  # else each of thousands that follow a gap would say so
            log.warning("%s: messages after %d/%d are missing", stream, *after)
            self._missing[key] = after
        self._ask_soon()

    def unfit(self, sender: str, stream: str, after: _Number) -> None:
        """Messages of this stream come in an epoch that cannot be taken: another is wanted."""
        self._unfit[sender, stream] = after
        self._ask_soon()

    def _ask_soon(self) -> None:
        if not self._asking:
            self._asking = True
            self._context.scheduler.after(ASK_DELAY, self._ask)

    def _acknowledge_soon(self) -> None:
        """Acknowledge at once what comes alone, and together what comes in numbers."""
        if not self._acking:
            self._acking = True
            self._scheduled = now = time.monotonic()
            delay = max(CROWD_DELAY * min(self._told / ACKS_AT_ONCE, 1.0), ACK_DELAY)
            self._context.scheduler.after(max(self._last + delay - now, 0.0), self._acknowledge)

    def _acknowledge(self) -> None:
        self._acking = False
        self._last = now = time.monotonic()
        topics = self._context.topology.topics
        # In a flood a round may come late, and then has to do for those that did not come.
        self._crowd = max(self._crowd, len(self._due))
        share = math.ceil(self._crowd * (now - self._scheduled) / CROWD_TURN)
        turn = list(islice(self._due, max(ACKS_AT_ONCE, share)))
        urgent = [key for key, due in self._due.items() if due.messages >= ACK_EVERY]
        told = dict.fromkeys((*turn, *urgent))
        self._told = len(told)
        for key in told:
            sender, stream = key
            epoch, seq = self._due.pop(key).number
            # Lost, it is said again when the sender sends again.
            self._context.publisher.publish(
                topics.ack(sender), Ack(stream=stream, epoch=epoch, seq=seq)
            )
        if self._due:
            self._acknowledge_soon()
        else:
            self._crowd = 0

    def _ask(self) -> None:
        self._asking = False
        missing, self._missing = self._missing, {}
        unfit, self._unfit = self._unfit, {}
        for key, number in missing.items():
            if key not in unfit:
                self._request("resend", key, number)
        for key, number in unfit.items():
            self._request("renumber", key, number)

    def _request(self, order: Literal["resend", "renumber"], key: _Key, number: _Number) -> None:
        (sender, stream), (epoch, seq) = key, number
        command = Command(order=order, stream=stream, epoch=epoch, seq=seq)
        self._context.publisher.publish(self._context.topology.topics.command(sender), command)

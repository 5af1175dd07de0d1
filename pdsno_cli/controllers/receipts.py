"""Tells senders how far their messages are committed, and asks for those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import Ack, Command

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context

_Key = tuple[str, str]  # sender and stream
_Number = tuple[int, int]  # epoch and seq

ACK_DELAY = 0.02  # seconds in which the acknowledgements of one stream become one
ASK_DELAY = 0.5  # seconds that a gap may last before the sender is asked: it may be on its way


class Receipts:
    """The acknowledgements and requests of one receiver. Owner's thread only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._due: dict[_Key, _Number] = {}
        self._missing: dict[_Key, _Number] = {}
        self._acking = False
        self._asking = False

    def committed(self, sender: str, stream: str, number: _Number) -> None:
        """All of the stream up to here is committed."""
        key = sender, stream
        self._due[key] = max(number, self._due.get(key, number))
        self._missing.pop(key, None)
        if not self._acking:
            self._acking = True
            self._context.scheduler.after(ACK_DELAY, self._acknowledge)

    def missing(self, sender: str, stream: str, after: _Number) -> None:
        """Messages after this number have not come, though a later one has."""
        self._missing.setdefault((sender, stream), after)
        if not self._asking:
            self._asking = True
            self._context.scheduler.after(ASK_DELAY, self._ask)

    def _acknowledge(self) -> None:
        self._acking = False
        due, self._due = self._due, {}
        topics = self._context.topology.topics
        for (sender, stream), (epoch, seq) in due.items():
            ack = Ack(stream=stream, epoch=epoch, seq=seq)
            # Lost, it is said again when the sender sends again.
            self._context.publisher.publish(topics.ack(sender), ack)

    def _ask(self) -> None:
        self._asking = False
        missing, self._missing = self._missing, {}
        topics = self._context.topology.topics
        for (sender, stream), (epoch, seq) in missing.items():
            command = Command(order="resend", stream=stream, epoch=epoch, seq=seq)
            self._context.publisher.publish(topics.command(sender), command)

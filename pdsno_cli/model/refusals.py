"""The reasons for refusing a message: a closed list, for logs, counters and status."""

from __future__ import annotations

from enum import Enum

import msgspec

from pdsno_cli.model.numbers import Ordinal


class Reason(Enum):
    """The reasons for which a receiver refuses a message."""

    OVERSIZED = "oversized"
    UNSIGNED = "unsigned"
    ALTERED = "altered"  # the signature does not fit bytes and topic, or the key is unknown
    UNPARSABLE = "unparsable"
    WRONG_TOPIC = "wrong-topic"  # signed, but sender or kind does not match the topic
    REPLAYED = "replayed"  # of an outdated epoch, or a command or request received before
    UNTIMELY = "untimely"  # a command or an epoch too far from the receiver's clock
    INVALID = "invalid"  # an invalid policy, or a command with one
    UNSENT = "unsent"  # an acknowledgement of a message that was never sent


class Header(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The readable part of a signed message with an unreadable payload: sender and number."""

    sender_id: str
    message_type: str
    stream: str
    epoch: Ordinal
    seq: Ordinal


class RefusedError(Exception):
    """A receiver refuses a message: ``reason`` is for counters, ``detail`` for people.

    ``header`` is set if the message is signed by an allowed sender and its payload is unreadable.
    """

    def __init__(self, reason: Reason, detail: str, *, header: Header | None = None) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.header = header

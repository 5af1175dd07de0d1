"""Why a message is refused: a closed list that logs, counters and status speak alike."""

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
    WRONG_TOPIC = "wrong-topic"  # signed, but the sender or kind does not belong on the topic
    REPLAYED = "replayed"  # from an epoch that is over, or an order or request that came before
    UNTIMELY = "untimely"  # an order or an epoch too far from the receiver's clock
    INVALID = "invalid"  # a policy, or an order of one, that no controller can go by
    UNSENT = "unsent"  # an acknowledgement of what was never sent


class Header(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is readable of a signed message whose payload is not: who sent it, and its number."""

    sender_id: str
    message_type: str
    stream: str
    epoch: Ordinal
    seq: Ordinal


class RefusedError(Exception):
    """A message that a receiver will not apply: ``reason`` counts it, ``detail`` names it.

    ``header`` is there when the message is signed, and sent by who may, but cannot be read.
    """

    def __init__(self, reason: Reason, detail: str, *, header: Header | None = None) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.header = header

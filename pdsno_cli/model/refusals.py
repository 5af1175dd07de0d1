"""Why a message is refused: a closed list that logs, counters and status speak alike."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """The reasons for which a receiver refuses a message."""

    OVERSIZED = "oversized"
    UNSIGNED = "unsigned"
    ALTERED = "altered"  # the signature does not fit bytes and topic, or the key is unknown
    UNPARSABLE = "unparsable"
    WRONG_TOPIC = "wrong-topic"  # signed, but the sender or kind does not belong on the topic
    REPLAYED = "replayed"  # from an epoch that is over


class RefusedError(Exception):
    """A message that a receiver will not apply: ``reason`` counts it, ``detail`` names it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail

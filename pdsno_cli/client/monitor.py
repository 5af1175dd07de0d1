"""Checks live traffic passively: against the topic map, its signatures and its numbers; pure.

Nothing is kept on disk, so a stream is known only from its first observed message on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.client.describe import describe
from pdsno_cli.model.messages import OPERATOR, Status
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.render.families import families

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.spec.topology import Topology

_BAD_SIGNATURE = (Reason.UNSIGNED, Reason.ALTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """A way onto the traffic, ``mqtt`` or ``bus``, and what it shows as it was published.

    ``highest`` is the highest QoS that is delivered; what is published at more comes at that.
    """

    transport: str
    qos: bool
    retain: bool
    highest: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMessage:
    """One message as it was seen.

    ``qos`` and ``retain`` are None where they cannot be known. ``signature`` is ``ok`` or why not.
    ``marks`` say what is wrong with it, in words. ``document`` is what its sender wrote, None
    where that is no JSON object; sender, type and number are its word, too.
    """

    transport: str
    topic: str
    size: int
    qos: int | None
    retain: bool | None
    signature: str
    marks: tuple[str, ...]
    summary: str
    document: dict[str, Any] | None

    def field(self, key: str) -> Any:
        """Return a member of the envelope, None where there is none."""
        return None if self.document is None else self.document.get(key)


class Monitor:
    """Judges what one session sees. ``open_`` verifies; it raises RefusedError."""

    def __init__(
        self, topology: Topology, open_: Callable[[str, bytes], Envelope], visibility: Visibility
    ) -> None:
        self._topics = topology.topics
        self._declared = {topic for family in families(topology) for topic in family.topics}
        self._open = open_
        self._visibility = visibility
        self._gaps = GapDetector()

    def observe(self, arrival: Arrival) -> ObservedMessage:
        """Return what there is to say of one message."""
        visibility = self._visibility
        marks = list(self._place(arrival.topic))
        signature, words, envelope = "ok", "", None
        try:
            envelope = self._open(arrival.topic, arrival.data)
        except RefusedError as refused:
            if refused.reason in _BAD_SIGNATURE:
                signature = refused.reason.value
            elif not marks or refused.reason is not Reason.WRONG_TOPIC:
                marks.append(str(refused))
        if envelope is not None:
            words = describe(envelope.payload)
            marks += self._number(arrival, envelope)
        marks += self._delivery(arrival, envelope)
        return ObservedMessage(
            transport=visibility.transport,
            topic=arrival.topic,
            size=len(arrival.data),
            qos=arrival.qos if visibility.qos else None,
            retain=arrival.retained if visibility.retain or arrival.retained else None,
            signature=signature,
            marks=tuple(marks),
            summary=words,
            document=_document(arrival.data),
        )

    def _place(self, topic: str) -> list[str]:
        if topic in self._declared:
            return []
        known = self._topics.class_of(topic) is not None
        return ["not of this file"] if known else ["undeclared topic"]

    def _number(self, arrival: Arrival, envelope: Envelope) -> list[str]:
        mark = self._gaps.judge(envelope)
        stored = arrival.retained and not self._visibility.retain  # a copy is no news
        return [mark] if mark is not None and not stored else []

    def _delivery(self, arrival: Arrival, envelope: Envelope | None) -> list[str]:
        """Hold QoS and retain, as far as they can be known, against the rule of the class."""
        item = self._topics.class_of(arrival.topic)
        if item is None:
            return []
        rule = self._topics.rule(item.name)
        payload = None if envelope is None else envelope.payload
        # A death is published at QoS 1, as nobody repeats it.
        qos = 1 if isinstance(payload, Status) and payload.state == "death" else rule.qos
        qos = min(qos, self._visibility.highest)
        marks = []
        if self._visibility.qos and arrival.qos != qos:
            marks.append(f"delivered at QoS {arrival.qos}, not {qos}")
        if arrival.retained and not rule.retain:
            marks.append("retained, which it must not be")
        elif self._visibility.retain and rule.retain and not arrival.retained:
            marks.append("not retained")
        return marks


class GapDetector:
    """Finds gaps and repetitions in the streams that are heard."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, int], tuple[int, int]] = {}

    def judge(self, envelope: Envelope) -> str | None:
        """Say what is wrong with a message's number; a will, number 0, is none of the count."""
        epoch, seq = envelope.epoch, envelope.seq
        # The sessions of operators are side by side, each an epoch of its own.
        session = epoch if envelope.sender_id == OPERATOR else 0
        key = envelope.sender_id, envelope.stream, session
        last = self._last.get(key)
        if seq == 0:
            return None
        if last is None or (epoch, seq) > last:
            self._last[key] = epoch, seq
        if last is None:
            return None
        if epoch < last[0]:
            return "of an epoch that is over"
        if (epoch, seq) <= last:
            return "again"
        missing = seq - 1 - (last[1] if epoch == last[0] else 0)
        return f"gap: {missing} missing" if missing else None


def _document(data: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(data)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    return found if isinstance(found, dict) else None

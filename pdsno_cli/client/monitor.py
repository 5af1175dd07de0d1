"""Checks live traffic passively: against the topic map, its signatures and its numbers; pure.

Nothing is stored, so gaps in a stream are known only from its first observed message on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    from pdsno_cli.model.topics import TopicRule
    from pdsno_cli.spec.topology import Topology

_BAD_SIGNATURE = (Reason.UNSIGNED, Reason.ALTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """The transport of a monitor, ``mqtt`` or ``bus``, and which flags arrive as published.

    ``highest`` is the highest QoS of a delivery; messages of a higher one arrive at that.
    """

    transport: str
    qos: bool
    retain: bool
    highest: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMessage:
    """One message as it arrived.

    ``qos`` and ``retain`` are None if the transport does not show them as published; ``declared`` is
    the rule of the topic's class, None for a topic that the map does not have. ``signature`` is ``ok`` or the reason of refusal.
    ``marks`` are its findings. ``document`` is the JSON object, None if it is not one; its fields
    are unverified unless the signature is ok.
    """

    transport: str
    topic: str
    size: int
    qos: int | None
    retain: bool | None
    declared: TopicRule | None
    signature: str
    marks: tuple[str, ...]
    summary: str
    document: dict[str, Any] | None

    def field(self, key: str) -> Any:
        """Return a member of the envelope, None if absent."""
        return None if self.document is None else self.document.get(key)


class Monitor:
    """Checks the messages of one session. ``open_`` verifies one, or raises RefusedError."""

    def __init__(
        self, topology: Topology, open_: Callable[[str, bytes], Envelope], visibility: Visibility
    ) -> None:
        self._topics = topology.topics
        self._declared = {topic for family in families(topology) for topic in family.topics}
        self._open = open_
        self._visibility = visibility
        self._gaps = GapDetector()

    def observe(self, arrival: Arrival) -> ObservedMessage:
        """Return one message with its findings."""
        visibility = self._visibility
        marks = list(self._place(arrival.topic))
        signature, summary, envelope = "ok", "", None
        try:
            envelope = self._open(arrival.topic, arrival.data)
        except RefusedError as refused:
            if refused.reason in _BAD_SIGNATURE:
                signature = refused.reason.value
            elif not marks or refused.reason is not Reason.WRONG_TOPIC:
                marks.append(str(refused))
        if envelope is not None:
            summary = describe(envelope.payload)
            marks += self._number(arrival, envelope)
        marks += self._delivery(arrival, envelope)
        return ObservedMessage(
            transport=visibility.transport,
            topic=arrival.topic,
            size=len(arrival.data),
            qos=arrival.qos if visibility.qos else None,
            retain=arrival.retained if visibility.retain or arrival.retained else None,
            declared=self._declared_rule(arrival.topic, envelope),
            signature=signature,
            marks=tuple(marks),
            summary=summary,
            document=_document(arrival.data),
        )

    def _place(self, topic: str) -> list[str]:
        if topic in self._declared:
            return []
        known = self._topics.class_of(topic) is not None
        return ["not of this file"] if known else ["undeclared topic"]

    def _number(self, arrival: Arrival, envelope: Envelope) -> list[str]:
        mark = self._gaps.judge(envelope)
        stored = arrival.retained and not self._visibility.retain  # a stored copy
        return [mark] if mark is not None and not stored else []

    def _declared_rule(self, topic: str, envelope: Envelope | None) -> TopicRule | None:
        item = self._topics.class_of(topic)
        if item is None:
            return None
        rule = self._topics.rule(item.name)
        payload = None if envelope is None else envelope.payload
        # A death (the will) is published at QoS 1, as it is not repeated.
        death = isinstance(payload, Status) and payload.state == "death"
        return replace(rule, qos=1) if death else rule

    def _delivery(self, arrival: Arrival, envelope: Envelope | None) -> list[str]:
        """Compare QoS and retain, as far as they are known, with the rule of the class."""
        rule = self._declared_rule(arrival.topic, envelope)
        if rule is None:
            return []
        qos = min(rule.qos, self._visibility.highest)
        marks = []
        if self._visibility.qos and arrival.qos != qos:
            marks.append(f"delivered at QoS {arrival.qos}, not {qos}")
        if arrival.retained and not rule.retain:
            marks.append("retained, which it must not be")
        elif self._visibility.retain and rule.retain and not arrival.retained:
            marks.append("not retained")
        return marks


class GapDetector:
    """Finds gaps and repetitions in the observed streams."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, int], tuple[int, int]] = {}

    def judge(self, envelope: Envelope) -> str | None:
        """Return what is wrong with a message's number, or None; a will has number 0, uncounted."""
        epoch, seq = envelope.epoch, envelope.seq
        # Sessions of operators are concurrent, each with its own epoch.
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

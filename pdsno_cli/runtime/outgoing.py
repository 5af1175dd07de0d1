"""Everything that a controller publishes: numbered, sealed, and kept while nothing carries it."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import Publication
from pdsno_cli.model.messages import TYPE_OF_CLASS, Payload
from pdsno_cli.model.refusals import RefusedError

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.sequence import Sequence
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.model.topics import TopicMap

log = logging.getLogger(__name__)
_KEPT = 10_000  # messages that wait while the transport is away


class Outgoing:
    """Publishes for one controller and one epoch. Owner's thread only.

    A message keeps its bytes and its place: what the transport does not take now waits, in
    order, until ``flush``. A heartbeat does not wait: an old one is worth nothing.
    """

    def __init__(
        self,
        *,
        sender_id: str,
        epoch: int,
        codec: Codec,
        topics: TopicMap,
        sequence: Sequence,
        transport: Transport,
    ) -> None:
        self._sender_id = sender_id
        self._epoch = epoch
        self._codec = codec
        self._topics = topics
        self._sequence = sequence
        self._transport = transport
        self._waiting: deque[Publication] = deque(maxlen=_KEPT)
        self.published = 0

    def publish(self, topic: str, payload: Payload, *, keep: bool = True) -> bool:
        """Send ``payload`` to ``topic``; whether a transport took it over at once.

        A message over the size limit is given up, and the log says so.
        """
        try:
            publication = self.seal(topic, payload)
        except RefusedError as exc:
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False
        if not keep:
            return self._send(publication)
        if not self._waiting and self._send(publication):
            return True
        if len(self._waiting) == _KEPT:
            log.warning("%d messages wait for a transport; the oldest is given up", _KEPT)
        self._waiting.append(publication)
        return False

    def seal(self, topic: str, payload: Payload, *, seq: int | None = None) -> Publication:
        """Return the message for ``topic``, numbered (``seq`` 0 is a will) and signed."""
        item = self._topics.class_of(topic)
        if item is None:
            raise ValueError(f"{topic!r} is no topic of this topology")
        rule = self._topics.rule(item.name)
        stream = self._topics.stream(topic)
        data = self._codec.seal(
            topic=topic,
            sender_id=self._sender_id,
            message_type=TYPE_OF_CLASS[item.name],
            payload=payload,
            epoch=self._epoch,
            seq=self._sequence.next(stream) if seq is None else seq,
        )
        return Publication(topic=topic, data=data, qos=rule.qos, retain=rule.retain)

    def flush(self) -> None:
        """Send what waits, in order, as far as the transport takes it."""
        while self._waiting and self._send(self._waiting[0]):
            self._waiting.popleft()

    def _send(self, publication: Publication) -> bool:
        taken = self._transport.publish(
            publication.topic, publication.data, qos=publication.qos, retain=publication.retain
        )
        self.published += taken
        return taken

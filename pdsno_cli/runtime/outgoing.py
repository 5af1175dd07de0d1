"""Everything that a controller publishes: numbered, signed, and durable where it must not be lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import Publication
from pdsno_cli.model.messages import Event, Payload
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.nib.marks import START
from pdsno_cli.nib.outbox import Kept

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.sequence import Sequence
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.model.topics import TopicMap
    from pdsno_cli.nib.store import Store, Transaction
    from pdsno_cli.runtime.outbox import Outbox
    from pdsno_cli.spec.topology import Outbox as Limits

log = logging.getLogger(__name__)


class Outgoing:
    """Publishes for one controller and one epoch. Owner's thread only."""

    def __init__(
        self,
        *,
        sender_id: str,
        epoch: int,
        codec: Codec,
        topics: TopicMap,
        sequence: Sequence,
        transport: Transport,
        store: Store,
        limits: Limits,
        events_topic: str,
    ) -> None:
        self._sender_id = sender_id
        self._epoch = epoch
        self._codec = codec
        self._topics = topics
        self._sequence = sequence
        self._transport = transport
        self._store = store
        self._limits = limits
        self._events_topic = events_topic

    def attach(self, outbox: Outbox) -> None:
        """Hand what is kept to ``outbox``, which sends it through ``carry``."""
        self._outbox = outbox

    def publish(self, topic: str, payload: Payload, *, answers: str | None = None) -> bool:
        """Send what is worth nothing later, or is told again; whether a transport took it.

        ``answers`` is the message_id of what it answers. A message over the size limit is given
        up, and the log says so.
        """
        try:
            return self._give(self.seal(topic, payload, answers=answers))
        except RefusedError as exc:
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False

    def clear(self, topic: str) -> None:
        """Have the broker forget the retained message on ``topic`` (best effort).

        A retained message without payload does that (MQTT 5.0 section 3.3.1.3).
        """
        self._give(Publication(topic=topic, data=b"", qos=1, retain=True))

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Give a unit of work: what it changes and what it tells of that are kept together.

        What was staged is sent once all of it is committed; nothing of it is, when the block
        raises.
        """
        with self._store.transaction() as tx:
            yield Unit(tx, self)

    def send(self, topic: str) -> None:
        """Send on what is kept for ``topic``."""
        self._outbox.kept(self._topics.stream(topic))

    def told(self, topic: str) -> bool:
        """Whether anything was ever staged for ``topic`` in the life of this store."""
        stream = self._topics.stream(topic)
        return self._store.settled(stream) != START or bool(self._store.outbox(stream, START, 1))

    def full(self, topic: str) -> bool:
        """Whether as much waits for ``topic`` as may wait at all."""
        load = self._store.load(self._topics.stream(topic))
        limits = self._limits
        return bool(load.messages) and (
            load.messages >= limits.messages
            or load.size >= limits.size
            or load.oldest <= time.time() - limits.age
        )

    def coalesce(self, tx: Transaction, topic: str) -> None:
        """Drop what waits for ``topic``, since what is staged next tells it all; an event says so."""
        self._outbox.drop()
        stream, dropped = self._drop(tx, topic)
        events = 0
        if self.full(self._events_topic):  # else the events that say so would fill the disk
            _, events = self._drop(tx, self._events_topic)
        event = Event(
            event="outbox_coalesced",
            severity="warning",
            subject=self._sender_id,
            detail={"stream": stream, "messages": dropped, "events": events},
        )
        self.keep(tx, self._events_topic, event, None)
        tx.after(partial(self.send, self._events_topic))

    def _drop(self, tx: Transaction, topic: str) -> tuple[str, int]:
        stream = self._topics.stream(topic)
        dropped = tx.coalesce(stream)
        log.warning("%s: %d messages that waited give way to the newest", stream, dropped)
        tx.after(partial(self._outbox.coalesced, stream))
        return stream, dropped

    def carry(self, message: Kept) -> bool:
        """Hand a kept message to the transport, byte for byte; whether it was taken."""
        return self._give(
            Publication(
                topic=message.topic, data=message.data, qos=message.qos, retain=message.retain
            )
        )

    def seal(
        self, topic: str, payload: Payload, *, seq: int | None = None, answers: str | None = None
    ) -> Publication:
        """Return the message for ``topic``, numbered (``seq`` 0 is a will) and signed."""
        item = self._topics.class_of(topic)
        if item is None:
            raise ValueError(f"{topic!r} is no topic of this topology")
        rule = self._topics.rule(item.name)
        stream = self._topics.stream(topic)
        data = self._codec.seal(
            topic=topic,
            sender_id=self._sender_id,
            message_type=item.message_type,
            payload=payload,
            epoch=self._epoch,
            seq=self._sequence.next(stream) if seq is None else seq,
            correlation_id=answers,
        )
        return Publication(
            topic=topic,
            data=data,
            qos=rule.qos,
            retain=rule.retain,
            expiry=item.expiry,
        )

    def keep(self, tx: Transaction, topic: str, payload: Payload, answers: str | None) -> None:
        """Put the message for ``topic`` into the outbox; it is sent once ``tx`` is committed."""
        if answers is not None:
            tx.answer(answers, at=time.time())
        stream = self._topics.stream(topic)
        seq = self._sequence.next(stream)
        try:
            sealed = self.seal(topic, payload, seq=seq, answers=answers)
        except RefusedError as exc:
            self._sequence.back(stream)
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return
        tx.otherwise(partial(self._sequence.back, stream))
        tx.keep(
            Kept(
                stream=stream,
                epoch=self._epoch,
                seq=seq,
                topic=topic,
                data=sealed.data,
                qos=sealed.qos,
                retain=sealed.retain,
                kept_at=time.time(),
            )
        )

    def _give(self, publication: Publication) -> bool:
        try:
            return self._transport.publish(
                publication.topic,
                publication.data,
                qos=publication.qos,
                retain=publication.retain,
                expiry=publication.expiry,
            )
        except ValueError as exc:  # a broker may take less than the topology says
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False


class Unit:
    """One unit of work of one controller: a transaction, and the messages that tell of it."""

    def __init__(self, tx: Transaction, outgoing: Outgoing) -> None:
        self.tx = tx
        self._outgoing = outgoing
        self._staged: set[str] = set()

    def coalesce(self, topic: str) -> None:
        """Drop what waits for ``topic``: what is staged next tells it all."""
        self._outgoing.coalesce(self.tx, topic)

    def stage(self, topic: str, payload: Payload, *, answers: str | None = None) -> None:
        """Keep a message until its receiver has committed it; see ``Outgoing.publish``."""
        if isinstance(payload, Event) and self._outgoing.full(topic):
            self.coalesce(topic)
        self._outgoing.keep(self.tx, topic, payload, answers)
        if topic not in self._staged:
            self._staged.add(topic)
            self.tx.after(partial(self._outgoing.send, topic))

"""Publishes for one controller: numbers and signs messages, and stages durable ones in a store."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.delivery.stream_sender import StreamSender
from pdsno_cli.messaging.sequence_counter import SequenceCounter
from pdsno_cli.messaging.transport import Publication
from pdsno_cli.model.messages import Event, Payload
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.nib.offsets import START
from pdsno_cli.nib.outbox_table import OutboxRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pdsno_cli.delivery.ports import Scheduler
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.model.topics import TopicMap
    from pdsno_cli.nib.store import Store, Transaction
    from pdsno_cli.spec.topology import OutboxLimits

log = logging.getLogger(__name__)


class Publisher:
    """Publishes for one controller and one epoch. Owner's thread only.

    ``sender`` sends the messages that are staged, until they are acknowledged; ``on_backlog`` is
    called with their number whenever it changed. What does not fit in an outbox of ``limits`` is
    coalesced, and an event on ``events_topic`` reports it::

        with publisher.unit() as unit:
            unit.tx.put_policy(document, at=now)
            unit.stage(topic, event)  # committed with the policy, then sent
    """

    def __init__(
        self,
        *,
        sender_id: str,
        epoch: int,
        codec: Codec,
        topics: TopicMap,
        transport: Transport,
        store: Store,
        scheduler: Scheduler,
        limits: OutboxLimits,
        events_topic: str,
        on_backlog: Callable[[int], None],
    ) -> None:
        self._sender_id = sender_id
        self._epoch = epoch
        self._codec = codec
        self._topics = topics
        self._sequence = SequenceCounter()
        self._transport = transport
        self._store = store
        self._limits = limits
        self._events_topic = events_topic
        self.sender = StreamSender(
            store=store, send=self._send_kept, scheduler=scheduler, on_backlog=on_backlog
        )

    def reconfigure(self, topics: TopicMap, limits: OutboxLimits) -> None:
        """Publish by these rules, within these limits, from the next message on."""
        self._topics, self._limits = topics, limits

    def publish(self, topic: str, payload: Payload, *, answers: str | None = None) -> bool:
        """Publish without the outbox (best effort). Return True if a transport accepted it.

        ``answers`` is the message_id of the order that this answers. A message over the size limit
        is dropped, and logged.
        """
        try:
            return self._send(self.seal(topic, payload, answers=answers))
        except RefusedError as exc:
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False

    def clear(self, topic: str) -> None:
        """Delete the broker's retained message on ``topic`` (best effort).

        A retained message without payload does that (MQTT 5.0 section 3.3.1.3).
        """
        self._send(Publication(topic=topic, data=b"", qos=1, retain=True))

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Yield a unit of work: its changes and the messages about them are committed together.

        The messages are sent after the commit; nothing is kept or sent when the block raises.
        """
        with self._store.transaction() as tx:
            yield Unit(self, tx)

    def has_published(self, topic: str) -> bool:
        """Return True if a message was ever staged for ``topic`` in this store."""
        stream = self._topics.stream(topic)
        return self._store.acknowledged(stream) != START or bool(
            self._store.outbox(stream, START, 1)
        )

    def full(self, topic: str) -> bool:
        """Return True if the outbox of ``topic`` is at its limit."""
        load = self._store.backlog(self._topics.stream(topic))
        limits = self._limits
        return bool(load.messages) and (
            load.messages >= limits.messages
            or load.size >= limits.size
            or load.oldest <= time.time() - limits.age
        )

    def seal(
        self, topic: str, payload: Payload, *, seq: int | None = None, answers: str | None = None
    ) -> Publication:
        """Return the message for ``topic``, numbered (``seq`` 0 is a will) and signed.

        RefusedError when it exceeds the size limit.
        """
        item = self._topics.class_of(topic)
        if item is None:
            raise ValueError(f"{topic!r} is not a topic of this topology")
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
            topic=topic, data=data, qos=rule.qos, retain=rule.retain, expiry=item.expiry
        )

    def coalesce(self, tx: Transaction, topic: str) -> None:
        """Drop the messages queued for ``topic``; an event reports how many.

        The caller stages a snapshot next, which replaces them.
        """
        self.sender.flush_acknowledged()
        stream, dropped = self._drop(tx, topic)
        events = 0
        if topic != self._events_topic and self.full(self._events_topic):
            # Else these events would fill the disk.
            _, events = self._drop(tx, self._events_topic)
        event = Event(
            event="outbox_coalesced",
            severity="warning",
            subject=self._sender_id,
            detail={"stream": stream, "messages": dropped, "events": events},
        )
        self.stage(tx, self._events_topic, event)
        tx.on_commit(partial(self.send_staged, self._events_topic))

    def stage(
        self, tx: Transaction, topic: str, payload: Payload, *, answers: str | None = None
    ) -> None:
        """Put the message for ``topic`` into the outbox; see ``Unit.stage``."""
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
        tx.on_rollback(partial(self._sequence.back, stream))
        tx.enqueue(
            OutboxRecord(
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

    def send_staged(self, topic: str) -> None:
        """Send the messages of ``topic`` that were committed to the outbox."""
        self.sender.send_new(self._topics.stream(topic))

    def _drop(self, tx: Transaction, topic: str) -> tuple[str, int]:
        stream = self._topics.stream(topic)
        dropped = tx.coalesce(stream)
        log.warning("%s: outbox full: %d messages replaced by a snapshot", stream, dropped)
        tx.on_commit(partial(self.sender.coalesced, stream))
        return stream, dropped

    def _send_kept(self, message: OutboxRecord) -> bool:
        """Send a message of the outbox, byte for byte. Return True if a transport accepted it."""
        return self._send(
            Publication(
                topic=message.topic, data=message.data, qos=message.qos, retain=message.retain
            )
        )

    def _send(self, publication: Publication) -> bool:
        try:
            return self._transport.publish(
                publication.topic,
                publication.data,
                qos=publication.qos,
                retain=publication.retain,
                expiry=publication.expiry,
            )
        except ValueError as exc:  # a broker may accept less than the topology declares
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False


class Unit:
    """One unit of work: the transaction ``tx``, and the messages staged in it."""

    def __init__(self, publisher: Publisher, tx: Transaction) -> None:
        self.tx = tx
        self._publisher = publisher
        self._topics: set[str] = set()

    def coalesce(self, topic: str) -> None:
        """Drop the messages queued for ``topic``: a snapshot is staged next."""
        self._publisher.coalesce(self.tx, topic)

    def stage(self, topic: str, payload: Payload, *, answers: str | None = None) -> None:
        """Keep a message until its receiver has committed it; it is sent after the commit.

        ``answers`` is the message_id of the order that this answers.
        """
        if isinstance(payload, Event) and self._publisher.full(topic):
            self.coalesce(topic)
        self._publisher.stage(self.tx, topic, payload, answers=answers)
        if topic not in self._topics:
            self._topics.add(topic)
            self.tx.on_commit(partial(self._publisher.send_staged, topic))

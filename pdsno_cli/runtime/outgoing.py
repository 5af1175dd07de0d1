"""Everything that a controller publishes: numbered, signed, and durable where it must not be lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import Publication
from pdsno_cli.model.messages import TYPE_OF_CLASS, Payload
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
    ) -> None:
        self._sender_id = sender_id
        self._epoch = epoch
        self._codec = codec
        self._topics = topics
        self._sequence = sequence
        self._transport = transport
        self._store = store

    def attach(self, outbox: Outbox) -> None:
        """Hand what is kept to ``outbox``, which sends it through ``carry``."""
        self._outbox = outbox

    def publish(self, topic: str, payload: Payload) -> bool:
        """Send what is worth nothing later, or is told again; whether a transport took it.

        A message over the size limit is given up, and the log says so.
        """
        try:
            return self._give(self.seal(topic, payload))
        except RefusedError as exc:
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return False

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Give a unit of work: what it changes and what it tells of that are kept together.

        What was staged is sent once all of it is committed; nothing of it is, when the block
        raises.
        """
        unit = None
        try:
            with self._store.transaction() as tx:
                unit = Unit(tx, self)
                yield unit
        except BaseException:
            if unit is not None:
                for stream in unit.staged:
                    self._sequence.back(stream)
            raise
        for stream in dict.fromkeys(unit.staged):
            self._outbox.kept(stream)

    def told(self, topic: str) -> bool:
        """Whether anything was ever staged for ``topic`` in the life of this store."""
        stream = self._topics.stream(topic)
        return self._store.settled(stream) != START or bool(self._store.outbox(stream, START, 1))

    def carry(self, message: Kept) -> bool:
        """Hand a kept message to the transport, byte for byte; whether it was taken."""
        return self._give(
            Publication(
                topic=message.topic, data=message.data, qos=message.qos, retain=message.retain
            )
        )

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

    def keep(self, tx: Transaction, topic: str, payload: Payload) -> str | None:
        """Put the message for ``topic`` into the outbox; return its stream, None if refused."""
        stream = self._topics.stream(topic)
        seq = self._sequence.next(stream)
        try:
            sealed = self.seal(topic, payload, seq=seq)
        except RefusedError as exc:
            self._sequence.back(stream)
            log.error("not published: %s", exc)  # noqa: TRY400 - a limit reached, not a fault
            return None
        tx.keep(
            Kept(
                stream=stream,
                epoch=self._epoch,
                seq=seq,
                topic=topic,
                data=sealed.data,
                qos=sealed.qos,
                retain=sealed.retain,
            )
        )
        return stream

    def _give(self, publication: Publication) -> bool:
        return self._transport.publish(
            publication.topic, publication.data, qos=publication.qos, retain=publication.retain
        )


class Unit:
    """One unit of work of one controller: a transaction, and the messages that tell of it."""

    def __init__(self, tx: Transaction, outgoing: Outgoing) -> None:
        self.tx = tx
        self.staged: list[str] = []
        self._outgoing = outgoing

    def stage(self, topic: str, payload: Payload) -> None:
        """Keep a message until its receiver has committed it."""
        stream = self._outgoing.keep(self.tx, topic, payload)
        if stream is not None:
            self.staged.append(stream)

"""The wire form of a message: seals payloads into signed bytes, opens and judges such bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from pdsno_cli.messaging import strict
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.ids import timestamp, uuid7
from pdsno_cli.model.messages import (
    BROADCAST,
    MESSAGE_TYPES,
    SCHEMA_VERSION,
    TYPE_OF_CLASS,
    Envelope,
    Payload,
    Signature,
)
from pdsno_cli.model.numbers import Count, Ordinal
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import TopicMap

Entitled = Callable[[str, str], bool]

_MAJOR = SCHEMA_VERSION.split(".", maxsplit=1)[0] + "."
_REMEMBERED = 10_000  # topics whose properties are kept; more than a topology of 3,000 controllers


class _Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of the wire form, in its order; the signature block follows the payload."""

    message_id: str
    message_type: str
    schema_version: str
    sender_id: str
    recipient_id: str
    timestamp: str
    stream: str
    epoch: int
    seq: int
    correlation_id: str | None = None
    payload: Payload


class _Received(msgspec.Struct, frozen=True, kw_only=True):
    """What comes, its payload not yet looked into."""

    message_id: str
    message_type: str
    schema_version: str
    sender_id: str
    recipient_id: str
    timestamp: str
    stream: str
    epoch: Ordinal
    seq: Count
    payload: msgspec.Raw
    signature: Signature
    correlation_id: str | None = None


def _document(envelope: Envelope) -> _Document:
    return _Document(
        message_id=envelope.message_id,
        message_type=envelope.message_type,
        schema_version=envelope.schema_version,
        sender_id=envelope.sender_id,
        recipient_id=envelope.recipient_id,
        timestamp=envelope.timestamp,
        stream=envelope.stream,
        epoch=envelope.epoch,
        seq=envelope.seq,
        correlation_id=envelope.correlation_id,
        payload=envelope.payload,
    )


# Made once, at import: a fork server's children share them.
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Received).decode
_decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in MESSAGE_TYPES.items()}


class _Topic(NamedTuple):
    message_type: str
    stream: str
    owner: str | None


class Codec:
    """Seals and opens the messages of one topology; safe for use from several threads.

    ``entitled`` says whether a sender may publish on a topic where the topic's own name does not
    say who may: it needs the roles, which a codec does not know.
    """

    def __init__(
        self,
        key: bytes,
        topics: TopicMap,
        max_bytes: int,
        entitled: Entitled | None = None,
    ) -> None:
        self._signer = Signer(key)
        self._topics = topics
        self._max_bytes = max_bytes
        self._entitled = entitled
        self._known: dict[str, _Topic] = {}

    def seal(
        self,
        *,
        topic: str,
        sender_id: str,
        message_type: str,
        payload: Payload,
        epoch: int,
        seq: int,
        recipient_id: str = BROADCAST,
        correlation_id: str | None = None,
    ) -> bytes:
        """Return the signed bytes of a new message.

        RefusedError (oversized) when no receiver of this topology would take it.
        """
        document = _Document(
            message_id=uuid7(),
            message_type=message_type,
            schema_version=SCHEMA_VERSION,
            sender_id=sender_id,
            recipient_id=recipient_id,
            timestamp=timestamp(),
            stream=self._topics.stream(topic),
            epoch=epoch,
            seq=seq,
            correlation_id=correlation_id,
            payload=payload,
        )
        data = self._signer.sign(topic, _encode(document))
        self._check_size(topic, data)
        return data

    def open(self, topic: str, data: bytes) -> Envelope:
        """Return the message in ``data`` as it came on ``topic``; RefusedError with the reason.

        Size and signature are judged before anything is parsed; then form, then whether the
        message belongs on its topic.
        """
        self._check_size(topic, data)
        signed = self._signer.verify(topic, data)
        try:
            envelope = self._parse(data, signed)
        except (ValueError, RecursionError) as exc:  # msgspec's errors are ValueErrors
            detail = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
            raise RefusedError(Reason.UNPARSABLE, f"a message on {topic!r}: {detail}") from exc
        self._check_place(topic, envelope)
        return envelope

    def _check_size(self, topic: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise RefusedError(
                Reason.OVERSIZED,
                f"a message on {topic!r} has {len(data)} bytes, the limit is {self._max_bytes}",
            )

    def _parse(self, data: bytes, signed: int) -> Envelope:
        """Return the message; its signature block begins at byte ``signed``."""
        received = _decode(data)
        if not received.schema_version.startswith(_MAJOR):
            raise ValueError(f"schema version {received.schema_version!r} is not known")
        decode = _decoders.get(received.message_type)
        if decode is None:
            raise ValueError(f"message type {received.message_type!r} is not known")
        envelope = Envelope(
            message_id=received.message_id,
            message_type=received.message_type,
            schema_version=received.schema_version,
            sender_id=received.sender_id,
            recipient_id=received.recipient_id,
            timestamp=received.timestamp,
            stream=received.stream,
            epoch=received.epoch,
            seq=received.seq,
            correlation_id=received.correlation_id,
            payload=decode(received.payload),
        )
        # What this codec would write itself cannot hold duplicate members. Everything else, as
        # other implementations may write it, goes through a slower decoder that can tell.
        own = _encode(_document(envelope))
        if memoryview(data)[:signed] != memoryview(own)[:-1]:
            strict.check(data)
        return envelope

    def _check_place(self, topic: str, envelope: Envelope) -> None:
        """Refuse a message whose kind, stream or sender does not belong on ``topic``."""
        place = self._known.get(topic) or self._look_up(topic)
        sender = envelope.sender_id
        if envelope.message_type != place.message_type:
            problem = f"{envelope.message_type!r} does not belong on {topic!r}"
        elif envelope.stream != place.stream:
            problem = f"a message on {topic!r} says that it is of stream {envelope.stream!r}"
        elif place.owner is not None and sender != place.owner:
            problem = f"{sender!r} published on {topic!r}, which belongs to {place.owner!r}"
        elif self._entitled is not None and not self._entitled(sender, topic):
            problem = f"{sender!r} may not publish on {topic!r}"
        else:
            return
        raise RefusedError(Reason.WRONG_TOPIC, problem)

    def _look_up(self, topic: str) -> _Topic:
        item = self._topics.class_of(topic)
        message_type = TYPE_OF_CLASS.get(item.name) if item is not None else None
        if message_type is None:
            raise RefusedError(Reason.WRONG_TOPIC, f"{topic!r} carries no message of this topology")
        place = _Topic(message_type, self._topics.stream(topic), self._topics.owner(topic))
        if len(self._known) < _REMEMBERED:
            self._known[topic] = place
        return place

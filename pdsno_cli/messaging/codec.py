"""The wire form of a message: seals payloads into signed bytes, opens and judges such bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec

from pdsno_cli.messaging import json_strict
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.ids import timestamp, uuid7
from pdsno_cli.model.messages import (
    BROADCAST,
    SCHEMA_VERSION,
    Envelope,
    Payload,
    Signature,
)
from pdsno_cli.model.refusals import Header, Reason, RefusedError
from pdsno_cli.model.topics import MESSAGE_TYPES, TopicMap

Entitled = Callable[[str, str], bool]

_MAJOR = SCHEMA_VERSION.split(".", maxsplit=1)[0] + "."
_REMEMBERED = 10_000  # topics whose properties are kept; more than a topology of 3,000 controllers


class _Unsigned(Envelope, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A message on its way out: the signature block is put behind it."""


def _wire(kind: type[Payload]) -> type[Envelope]:
    """Return the whole wire form of a message whose payload is of ``kind``."""
    wire = msgspec.defstruct(
        f"Wire{kind.__name__}",
        [("payload", kind), ("signature", Signature)],
        bases=(Envelope,),
        frozen=True,
        kw_only=True,
        omit_defaults=True,
        gc=False,
    )
    return cast("type[Envelope]", wire)


# Made once, at import: a fork server's children share them.
_encoder = msgspec.json.Encoder()
_decode_header = msgspec.json.Decoder(Header).decode
_decoders = {name: msgspec.json.Decoder(_wire(kind)).decode for name, kind in MESSAGE_TYPES.items()}


class _Topic(msgspec.Struct, frozen=True, gc=False):
    """What is known of a topic: as little as can be, for thousands of them are used in turn."""

    message_type: str
    owner: str | None  # who may publish on it, where its name says so
    entitled: set[str] | None  # elsewhere: who was judged so already


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
        self._below = len(topics.root) + 1  # where in a topic its stream begins
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
        document = _Unsigned(
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
        data = self._signer.sign(topic, _encoder.encode(document))
        self._check_size(topic, data)
        return data

    def open(self, topic: str, data: bytes) -> Envelope:
        """Return the message in ``data`` as it came on ``topic``; RefusedError with the reason.

        Size and signature are judged before anything is parsed; then form, then whether the
        message belongs on its topic.
        """
        self._check_size(topic, data)
        self._signer.verify(topic, data)
        place = self._known.get(topic) or self._look_up(topic)
        try:
            envelope = self._parse(data, place.message_type)
        except (ValueError, RecursionError) as exc:  # msgspec's errors are ValueErrors
            header = self._header(data)
            if header is not None:
                self._check_place(topic, place, header)
            detail = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
            raise RefusedError(
                Reason.UNPARSABLE, f"a message on {topic!r}: {detail}", header=header
            ) from exc
        self._check_place(topic, place, envelope)
        return envelope

    def _header(self, data: bytes) -> Header | None:
        """Return who sent what cannot be read, and its number; None when that is unreadable too."""
        try:
            return _decode_header(data)
        except (ValueError, RecursionError):
            return None

    def _check_size(self, topic: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise RefusedError(
                Reason.OVERSIZED,
                f"a message on {topic!r} has {len(data)} bytes, the limit is {self._max_bytes}",
            )

    def _parse(self, data: bytes, message_type: str) -> Envelope:
        """Return the message in ``data``, which should be of the type that its topic carries."""
        envelope = _decoders[message_type](data)
        if not envelope.schema_version.startswith(_MAJOR):
            raise ValueError(f"schema version {envelope.schema_version!r} is not known")
        if envelope.message_type not in MESSAGE_TYPES:
            raise ValueError(f"message type {envelope.message_type!r} is not known")
        # A message as this codec writes it has no duplicate members. Any other, as other
        # implementations may write it, goes through a slower decoder that detects them.
        again = bytearray(len(data))  # with room from the start, encoding takes half the time
        _encoder.encode_into(envelope, again)
        if again != data:
            json_strict.check(data)
        return envelope

    def _check_place(self, topic: str, place: _Topic, message: Envelope | Header) -> None:
        """Refuse a message whose kind, stream or sender does not belong on ``topic``."""
        sender = message.sender_id
        if message.message_type != place.message_type and message.message_type in MESSAGE_TYPES:
            problem = f"{message.message_type!r} does not belong on {topic!r}"
        elif message.stream != topic[self._below :]:
            problem = f"a message on {topic!r} says that it is of stream {message.stream!r}"
        elif place.entitled is None:
            if sender == place.owner:
                return
            problem = f"{sender!r} published on {topic!r}, which belongs to {place.owner!r}"
        elif sender in place.entitled:
            return
        elif self._may_publish(sender, topic):
            if len(place.entitled) < _REMEMBERED:
                place.entitled.add(sender)
            return
        else:
            problem = f"{sender!r} may not publish on {topic!r}"
        raise RefusedError(Reason.WRONG_TOPIC, problem)

    def _may_publish(self, sender: str, topic: str) -> bool:
        return self._entitled is None or self._entitled(sender, topic)

    def _look_up(self, topic: str) -> _Topic:
        item = self._topics.class_of(topic)
        if item is None:
            raise RefusedError(Reason.WRONG_TOPIC, f"{topic!r} carries no message of this topology")
        owner = self._topics.owner(topic)
        if owner is not None and not self._may_publish(owner, topic):
            raise RefusedError(Reason.WRONG_TOPIC, f"{owner!r} may not publish on {topic!r}")
        place = _Topic(item.message_type, owner, set() if owner is None else None)
        if len(self._known) < _REMEMBERED:
            self._known[topic] = place
        return place

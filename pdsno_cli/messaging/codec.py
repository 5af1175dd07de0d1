"""The wire form of a message: seals payloads into signed bytes, and opens and verifies them."""

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

MayPublish = Callable[[str, str], bool]  # sender, topic

_MAJOR = SCHEMA_VERSION.split(".", maxsplit=1)[0] + "."
_REMEMBERED = 10_000  # topics whose properties are cached: those of 3,000 controllers


class _Unsigned(Envelope, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A message before the signature block is appended."""


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
    """The cached properties of a topic; small, since thousands are in use."""

    message_type: str
    owner: str | None  # the only sender, where the topic names it
    senders: set[str] | None  # elsewhere: senders that were allowed so far


class Codec:
    """Seals and opens the messages of one topology; safe for use from several threads.

    ``may_publish`` decides if a sender may publish on a topic that does not name its sender: that
    depends on roles, which a codec does not know.
    """

    def __init__(
        self,
        key: bytes,
        topics: TopicMap,
        max_bytes: int,
        may_publish: MayPublish | None = None,
    ) -> None:
        self._signer = Signer(key)
        self._topics = topics
        self._below = len(topics.root) + 1  # where in a topic its stream begins
        self._max_bytes = max_bytes
        self._acl = may_publish
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

        RefusedError (oversized) if every receiver of this topology would refuse it.
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
        """Return the message in ``data``, as received on ``topic``; RefusedError with the reason.

        Size and signature are verified before anything is parsed; then form, topic and sender.
        """
        self._check_size(topic, data)
        self._signer.verify(topic, data)
        entry = self._known.get(topic) or self._look_up(topic)
        try:
            envelope = self._parse(data, entry.message_type)
        except (ValueError, RecursionError) as exc:  # msgspec's errors are ValueErrors
            header = self._header(data)
            if header is not None:
                self._check_topic(topic, entry, header)
            detail = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
            raise RefusedError(
                Reason.UNPARSABLE, f"a message on {topic!r}: {detail}", header=header
            ) from exc
        self._check_topic(topic, entry, envelope)
        return envelope

    def sign_again(self, topic: str, data: bytes) -> bytes | None:
        """Return a message of our own signed for ``topic``; None if it is: key and topic are these."""
        try:
            self._signer.verify(topic, data)
        except RefusedError:
            return self._signer.sign_again(topic, data)
        return None

    def forget_senders(self) -> None:
        """Ask ``may_publish`` again of every sender: its answers may have changed."""
        self._known = {}

    def _header(self, data: bytes) -> Header | None:
        """Return sender and number of a malformed message; None if they are unreadable, too."""
        try:
            return _decode_header(data)
        except (ValueError, RecursionError):
            return None

    def _check_size(self, topic: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise RefusedError(
                Reason.OVERSIZED,
                f"a message on {topic!r} has {len(data)} bytes, over the limit of {self._max_bytes}",
            )

    def _parse(self, data: bytes, message_type: str) -> Envelope:
        """Return the message in ``data``, expected to be of the type that its topic carries."""
        envelope = _decoders[message_type](data)
        if not envelope.schema_version.startswith(_MAJOR):
            raise ValueError(f"schema version {envelope.schema_version!r} is not supported")
        if envelope.message_type not in MESSAGE_TYPES:
            raise ValueError(f"unknown message type {envelope.message_type!r}")
        # A message as this codec writes it has no duplicate members. Any other, as other
        # implementations may write it, goes through a slower decoder that detects them.
        encoded = bytearray(len(data))  # preallocated: halves the time
        _encoder.encode_into(envelope, encoded)
        if encoded != data:
            json_strict.check(data)
        return envelope

    def _check_topic(self, topic: str, entry: _Topic, message: Envelope | Header) -> None:
        """Refuse a message whose kind, stream or sender does not match ``topic``."""
        sender = message.sender_id
        if message.message_type != entry.message_type and message.message_type in MESSAGE_TYPES:
            problem = f"{message.message_type!r} does not belong on {topic!r}"
        elif message.stream != topic[self._below :]:
            problem = f"a message on {topic!r} names the stream {message.stream!r}"
        elif entry.senders is None:
            if sender == entry.owner:
                return
            problem = f"{sender!r} published on {topic!r}, a topic of {entry.owner!r}"
        elif sender in entry.senders:
            return
        elif self._may_publish(sender, topic):
            if len(entry.senders) < _REMEMBERED:
                entry.senders.add(sender)
            return
        else:
            problem = f"{sender!r} may not publish on {topic!r}"
        raise RefusedError(Reason.WRONG_TOPIC, problem)

    def _may_publish(self, sender: str, topic: str) -> bool:
        return self._acl is None or self._acl(sender, topic)

    def _look_up(self, topic: str) -> _Topic:
        item = self._topics.class_of(topic)
        if item is None:
            raise RefusedError(Reason.WRONG_TOPIC, f"{topic!r} is not a topic of this topology")
        owner = self._topics.owner(topic)
        if owner is not None and not self._may_publish(owner, topic):
            raise RefusedError(Reason.WRONG_TOPIC, f"{owner!r} may not publish on {topic!r}")
        entry = _Topic(item.message_type, owner, set() if owner is None else None)
        if len(self._known) < _REMEMBERED:
            self._known[topic] = entry
        return entry

"""Sealing and opening: what goes in comes out, and nothing else comes in."""

from __future__ import annotations

import itertools
import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.signing import Signer, key_id
from pdsno_cli.model.messages import BROADCAST, SCHEMA_VERSION
from pdsno_cli.model.numbers import MAX_INTEGER
from pdsno_cli.model.refusals import Reason, RefusedError
from tests.messaging.samples import KEY, LIMIT, PAYLOADS, SAMPLES, TOPICS

CODEC = Codec(KEY, TOPICS, LIMIT)
SIGNER = Signer(KEY)


def seal(kind: str, **changes) -> bytes:
    payload, topic, sender = SAMPLES[kind]
    message = {
        "topic": topic,
        "sender_id": sender,
        "message_type": kind,
        "payload": payload,
        "epoch": 1,
        "seq": 1,
    }
    return CODEC.seal(**(message | changes))


def refusal(topic: str, data: bytes, codec: Codec = CODEC) -> Reason:
    with pytest.raises(RefusedError) as caught:
        codec.open(topic, data)
    assert "\n" not in caught.value.detail
    return caught.value.reason


def resign(topic: str, document: object) -> bytes:
    """Sign what a peer with the key, but not with this codec, might send."""
    text = document if isinstance(document, str) else json.dumps(document)
    return SIGNER.sign(topic, text.encode("utf-8", "surrogatepass"))


def document(kind: str) -> dict:
    content = json.loads(seal(kind))
    del content["signature"]
    return content


@pytest.mark.parametrize("kind", SAMPLES)
def test_open_returns_what_was_sealed(kind):
    payload, topic, sender = SAMPLES[kind]
    envelope = CODEC.open(topic, seal(kind, epoch=7, seq=9, correlation_id="c-1"))
    assert envelope.payload == payload
    assert envelope.sender_id == sender
    assert (envelope.epoch, envelope.seq) == (7, 9)
    assert envelope.stream == TOPICS.stream(topic)
    assert envelope.recipient_id == BROADCAST
    assert envelope.schema_version == SCHEMA_VERSION
    assert envelope.correlation_id == "c-1"
    assert len(envelope.message_id) == 36


@settings(max_examples=60)
@given(
    kind_and_payload=st.sampled_from(sorted(PAYLOADS)).flatmap(
        lambda kind: PAYLOADS[kind].map(lambda payload: (kind, payload))
    ),
    epoch=st.integers(1, MAX_INTEGER),
    seq=st.integers(0, MAX_INTEGER),
    correlation_id=st.none() | st.text(),
)
def test_open_returns_any_payload_that_was_sealed(kind_and_payload, epoch, seq, correlation_id):
    kind, payload = kind_and_payload
    data = seal(kind, payload=payload, epoch=epoch, seq=seq, correlation_id=correlation_id)
    envelope = CODEC.open(SAMPLES[kind][1], data)
    assert envelope.payload == payload
    assert (envelope.epoch, envelope.seq) == (epoch, seq)
    assert envelope.correlation_id == correlation_id


@given(data=st.data(), kind=st.sampled_from(sorted(SAMPLES)))
def test_open_refuses_any_changed_byte(data, kind):
    sealed = bytearray(seal(kind))
    index = data.draw(st.integers(0, len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(1, 255))
    assert refusal(SAMPLES[kind][1], bytes(sealed)) in (Reason.ALTERED, Reason.UNSIGNED)


@given(data=st.data(), kind=st.sampled_from(sorted(SAMPLES)))
def test_open_refuses_a_message_cut_short_or_extended(data, kind):
    sealed = seal(kind)
    cut = data.draw(st.integers(0, len(sealed) - 1))
    topic = SAMPLES[kind][1]
    assert refusal(topic, sealed[:cut]) in (Reason.ALTERED, Reason.UNSIGNED)
    assert refusal(topic, sealed + data.draw(st.binary(min_size=1, max_size=9))) in (
        Reason.ALTERED,
        Reason.UNSIGNED,
    )


@given(topic=st.text(max_size=40), kind=st.sampled_from(sorted(SAMPLES)))
def test_open_refuses_any_other_topic(topic, kind):
    if topic != SAMPLES[kind][1]:
        assert refusal(topic, seal(kind)) is Reason.ALTERED


@given(data=st.binary(max_size=400))
def test_open_refuses_noise(data):
    assert refusal(TOPICS.status("lc_1"), data) is Reason.UNSIGNED


def test_open_refuses_every_other_topic_of_the_map_even_of_the_same_sender():
    for one, other in itertools.permutations(SAMPLES, 2):
        if SAMPLES[one][1] != SAMPLES[other][1]:
            assert refusal(SAMPLES[other][1], seal(one)) is Reason.ALTERED


def test_open_refuses_another_key():
    other = Codec(bytes(32), TOPICS, LIMIT)
    with pytest.raises(RefusedError, match=f"not with {key_id(bytes(32))}") as caught:
        other.open(SAMPLES["status"][1], seal("status"))
    assert caught.value.reason is Reason.ALTERED


def test_open_refuses_another_algorithm():
    data = seal("status").replace(b"HMAC-SHA256", b"HMAC-SHA1")
    assert refusal(SAMPLES["status"][1], data) is Reason.ALTERED


def test_open_refuses_a_nonce_that_is_not_hex_however_well_it_is_signed():
    topic = SAMPLES["status"][1]
    head, tail = seal("status").split(b'"nonce":"')
    signed = head + b'"nonce":"' + b"g" * 32 + tail[32 : tail.index(b'"sig":"') + 7]
    # What the class itself would sign, were its nonces no hex digits.
    data = signed + SIGNER._hmac(topic, signed) + b'"}}'
    assert refusal(topic, data) is Reason.UNSIGNED


def test_both_ends_refuse_a_message_over_the_limit():
    data = seal("discovery_report")
    topic = SAMPLES["discovery_report"][1]
    small = Codec(KEY, TOPICS, len(data) - 1)
    assert refusal(topic, data, small) is Reason.OVERSIZED
    payload, _, sender = SAMPLES["discovery_report"]
    with pytest.raises(RefusedError) as caught:
        small.seal(
            topic=topic,
            sender_id=sender,
            message_type="discovery_report",
            payload=payload,
            epoch=1,
            seq=1,
        )
    assert caught.value.reason is Reason.OVERSIZED
    assert Codec(KEY, TOPICS, len(data)).open(topic, data).payload == payload


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("status", {"sender_id": "lc_2"}),
        ("summary", {"sender_id": "rc_2"}),
        ("discovery_report", {"sender_id": "rc_1"}),
        ("event", {"message_type": "status", "payload": SAMPLES["status"][0]}),
    ],
)
def test_open_refuses_sender_stream_or_kind_that_does_not_match_the_topic(kind, change):
    assert refusal(SAMPLES[kind][1], seal(kind, **change)) is Reason.WRONG_TOPIC


def test_open_refuses_another_stream_than_the_topics():
    content = document("event") | {"stream": "events/zone-A"}
    topic = SAMPLES["event"][1]
    assert refusal(topic, resign(topic, content)) is Reason.WRONG_TOPIC


def test_open_refuses_a_topic_that_the_map_does_not_know():
    topic = "pdsno/gossip/lc_1"
    assert refusal(topic, seal("status", topic=topic)) is Reason.WRONG_TOPIC


def test_open_asks_may_publish():
    asked = []

    def may_publish(sender: str, topic: str) -> bool:
        asked.append((sender, topic))
        return sender == "rc_1"

    codec = Codec(KEY, TOPICS, LIMIT, may_publish)
    topic = SAMPLES["policy"][1]
    codec.open(topic, seal("policy"))
    assert refusal(topic, seal("policy", sender_id="lc_1"), codec) is Reason.WRONG_TOPIC
    assert asked == [("rc_1", topic), ("lc_1", topic)]


STATUS = SAMPLES["status"][1]
deep = "[" * 100_000 + "]" * 100_000


def _text(**replaced: str) -> str:
    """Return a status document as text, some of its values replaced by raw JSON."""
    content = document("status")
    members = {name: json.dumps(value) for name, value in content.items()} | replaced
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


HOSTILE = {
    "no object": "[1]",
    "no JSON": "{nonsense}",
    "a member twice": _text().replace('"epoch":1', '"epoch":1,"epoch":2'),
    "the payload twice": _text(payload='{},"payload":' + json.dumps(document("status")["payload"])),
    "the payload after the payload": _text()[:-1] + ',"payload":{}}',
    "a member twice in the payload": _text(
        payload=json.dumps(document("status")["payload"])[:-1] + ',"region":"x"}'
    ),
    "an unknown member twice": _text(extra='1,"extra":2'),
    "a signature of its own": _text(signature='{"alg":"a","kid":"b","nonce":"c","sig":"d"}'),
    "nested deeply in an unknown member": _text(extra=deep),
    "nested deeply in the payload": _text(payload=deep),
    "NaN": _text(extra="NaN"),
    "an infinite number": _text(payload=_text()).replace("5.0", "1e999"),
    "a lone surrogate": _text(extra=r'"\ud800"'),
    "bytes that are no UTF-8": _text(extra='"\udcff"'),
    "an epoch of 0": _text(epoch="0"),
    "a negative seq": _text(seq="-1"),
    "an epoch beyond what a float holds": _text(epoch=str(2**53)),
    "an integer that fills a megabyte": _text(extra="1" * 100_000),
    "a text for a number": _text(epoch='"1"'),
    "a fraction for a number": _text(epoch="1.5"),
    "null for a text": _text(sender_id="null"),
    "no payload": _text(payload="null"),
    "an empty payload": _text(payload="{}"),
    "an unknown message type": _text(message_type='"gossip"'),
    "a schema version to come": _text(schema_version='"2.0"'),
    "a byte order mark": "\ufeff" + _text(),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_open_refuses_signed_nonsense_as_unparsable(text):
    data = SIGNER.sign(STATUS, text.encode("utf-8", "surrogateescape"))
    assert refusal(STATUS, data) is Reason.UNPARSABLE


def test_open_reads_what_another_implementation_writes():
    # Spaces, another order, escapes and members that a later version may add.
    content = document("status")
    content["added_later"] = {"a": [1, 2.5, None]}
    content["payload"]["added_later"] = "☃"
    text = json.dumps(dict(reversed(content.items())), indent=2)
    envelope = CODEC.open(STATUS, resign(STATUS, text))
    assert envelope.payload == SAMPLES["status"][0]


def test_seal_numbers_nothing_by_itself_and_repeats_no_nonce():
    one, other = seal("status"), seal("status")
    nonce = partial(lambda data: json.loads(data)["signature"]["nonce"])
    assert nonce(one) != nonce(other)
    assert len(nonce(one)) == 32

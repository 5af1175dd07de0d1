"""PUBLISH, byte by byte, and packets that come in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pdsno_cli.messaging import wire
from pdsno_cli.messaging.paho_client import PahoClient


class Socket:
    """Stands for a connection that is there."""

    def close(self) -> None:
        pass


def client(protocol: str) -> PahoClient:
    return PahoClient(
        protocol=protocol,
        limit=10**9,
        on_publish_received=lambda _: None,
        on_too_large=lambda *_: None,
        on_refused=lambda *_: None,
        wake=lambda: None,
    )


def publish(protocol: str, topic: str, data: bytes, delivery: tuple[int, bool]) -> bytes:
    """Return the packet as paho writes it; in MQTT 5 with properties."""
    made = client(protocol)
    made._sock = Socket()
    made._registered_write = True
    properties = None
    if protocol == "5":
        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = 60
        properties.UserProperty = ("long", "x" * 150)
    made.publish(topic, data, *delivery, properties)
    return bytes(made._out_packet[0]["packet"])


@given(
    st.sampled_from(["3.1.1", "5"]),
    st.text(st.characters(exclude_characters="+#", exclude_categories=["Cs"]), min_size=1),
    st.binary(max_size=300),
    st.tuples(st.integers(0, 2), st.booleans()),
)
def test_published_decodes_what_paho_encodes(protocol, topic, data, delivery):
    qos, retain = delivery
    packet = publish(protocol, topic, data, delivery)
    [whole], rest, lacking = wire.split(packet)
    assert (rest, lacking) == (len(packet), 0)
    assert wire.published(packet, whole, v5=protocol == "5") == (
        topic, data, retain, qos, 1 if qos else 0
    )  # fmt: skip


@given(st.lists(st.integers(0, 400), max_size=5), st.data())
def test_packets_in_pieces_are_reassembled(sizes, data):
    packets = [publish("3.1.1", "t", b"x" * size, (1, False)) for size in sizes]
    stream = b"".join(packets) + b"\xd0\x00"
    received: list[int] = []
    made = client("3.1.1")
    made._on_publish_received = lambda message: received.append(len(message[1]))
    made._sock = Socket()
    made._ping_t = 1.0
    at = 0
    while at < len(stream):
        piece = stream[at : at + data.draw(st.integers(1, 500))]
        made._consume(piece)
        at += len(piece)
    assert received == sizes
    assert made._ping_t == 0  # the PINGRESP at the end went to paho


@pytest.mark.parametrize(
    ("protocol", "packet"),
    [
        ("3.1.1", b"\x30\x01\x00"),
        ("3.1.1", b"\x36\x05\x00\x01t\x00\x01"),
        ("3.1.1", b"\x30\x03\x00\x02t"),
        ("3.1.1", b"\x32\x03\x00\x01t"),
        ("5", b"\x30\x03\x00\x01t"),
        ("5", b"\x30\x04\x00\x01t\x01"),
        ("5", b"\x30\x05\x00\x01t\x80\x80"),
        ("5", b"\x30\x07\x00\x01t\x80\x80\x80\x80"),
    ],
)
def test_a_publish_that_is_cut_short_is_malformed(protocol, packet):
    [whole], _, _ = wire.split(packet)
    with pytest.raises(wire.MalformedError):
        wire.published(packet, whole, v5=protocol == "5")


def test_a_length_without_end_is_malformed():
    with pytest.raises(wire.MalformedError):
        wire.split(b"\x30\xff\xff\xff\xff")


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_packets_or_malformed(data, v5):
    try:
        packets, rest, lacking = wire.split(data)
        for packet in packets:
            wire.published(data, packet, v5=v5)
    except wire.MalformedError:
        return
    assert (rest == len(data)) == (lacking == 0)


def test_topic_that_is_not_utf_8_is_decoded_with_replacements():
    packet = b"\x32\x05\x00\x01\xff\x00\x01"
    [whole], _, _ = wire.split(packet)
    assert wire.published(packet, whole, v5=False) == ("�", b"", False, 1, 1)

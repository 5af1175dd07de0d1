"""CONNECT and CONNACK, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.broker import packets


def test_connect_of_mqtt_311():
    packet = packets.connect(
        protocol="3.1.1", client_id="ab", username=None, password=None, keepalive=10
    )
    assert packet == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02ab"


def test_connect_of_mqtt_5_with_credentials():
    packet = packets.connect(
        protocol="5", client_id="ab", username="u", password="pw", keepalive=10
    )
    assert packet == b"\x10\x16\x00\x04MQTT\x05\xc2\x00\x0a\x00\x00\x02ab\x00\x01u\x00\x02pw"


def test_connect_longer_than_127_bytes_has_a_length_of_two_bytes():
    packet = packets.connect(
        protocol="3.1.1", client_id="x" * 200, username=None, password=None, keepalive=10
    )
    assert packet[1:3] == bytes((0x80 | 212 % 128, 212 // 128))
    assert len(packet) == 3 + 212


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x20\x02\x00\x00", 0),
        (b"\x20\x02\x01\x05", 5),
        (b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14", 0),
        (b"\x20\x03\x00\x87\x00", 0x87),
        (b"\x20\xc8\x01\x00\x87\xc5\x01", 0x87),
    ],
)
def test_connack_is_read(data, code):
    connack = packets.connack(data)
    assert connack is not None
    assert connack.code == code
    assert connack.accepted == (code == 0)
    assert connack.bad_credentials == (code != 0)


@pytest.mark.parametrize(
    "data", [b"", b"\x20", b"\x20\x02\x00", b"HTTP/1.1 400", b"\x20\xff\xff\xff"]
)
def test_other_data_is_not_a_connack(data):
    assert packets.connack(data) is None


@given(st.binary(max_size=20))
def test_connack_never_fails(data):
    packets.connack(data)

"""The reader of SNMP responses against pysnmp's codec as an oracle, and against any bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp.ber import OID_PARTS, Response, Value, read_response

OIDS = st.tuples(st.sampled_from([(1, 3), (0, 39), (2, 39), (2, 999)]),
                 st.lists(st.integers(0, 2**32 - 1), max_size=20)).map(lambda p: (*p[0], *p[1]))  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=300).map(v2c.OctetString),
    OIDS.map(v2c.ObjectIdentifier),
    st.integers(0, 2**32 - 1).map(v2c.TimeTicks),
    st.integers(-(2**31), 2**31 - 1).map(v2c.Integer32),
    st.just(v2c.null),
)
LISTS = st.lists(st.tuples(OIDS, VALUES), max_size=8)


def encoded(pairs, request_id=1, status=0, index=0) -> bytes:
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_error_status(pdu, status)
    pdu.setComponentByPosition(2, index, verifyConstraints=False)
    v2c.apiPDU.set_varbinds(pdu, pairs)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


def tlv(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + length + body


def raw(*bindings: bytes, request_id: bytes = b"\x01") -> bytes:
    """Return a response with these bindings, each the bytes of a name and of a value."""
    pdu = tlv(0xA2, tlv(2, request_id), tlv(2, b"\0"), tlv(2, b"\0"),
              tlv(0x30, *(tlv(0x30, item) for item in bindings)))  # fmt: skip
    return tlv(0x30, tlv(2, b"\x01"), tlv(4, b"public"), pdu)


@given(LISTS, st.integers(0, 2**31 - 1), st.integers(0, 18), st.integers(0, 9))
def test_reader_reads_what_pysnmp_writes(pairs, request_id, status, index):
    found = read_response(encoded(pairs, request_id, status, index))
    assert (found.request_id, found.error_status, found.error_index) == (request_id, status, index)
    assert [name for name, _ in found.bindings] == [name for name, _ in pairs]
    for (_, read), (_, written) in zip(found.bindings, pairs, strict=True):
        text = bytes(written) if isinstance(written, v2c.OctetString) else None
        oid = tuple(written) if isinstance(written, v2c.ObjectIdentifier) else None
        ticks = int(written) if isinstance(written, v2c.TimeTicks) else None
        assert (read.text, read.oid, read.ticks) == (text, oid, ticks)


def touch(found: Response | None) -> None:
    for name, value in found.bindings if found else ():
        assert len(name) <= OID_PARTS
        assert value.text is None or len(value.text) <= 2000
        assert value.oid is None or len(value.oid) <= OID_PARTS
        assert value.ticks is None or 0 <= value.ticks < 2**32


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30\x80" * 100)
@example(b"\x30\x84\xff\xff\xff\xff")
def test_reader_takes_any_bytes(data):
    touch(read_response(data))


@given(
    LISTS, st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=6), st.data()
)
def test_reader_takes_a_response_in_which_bytes_were_changed_or_lost(pairs, changes, data):
    message = bytearray(encoded(pairs))
    for at, octet in changes:
        message[at % len(message)] = octet
    touch(read_response(bytes(message[: data.draw(st.integers(0, len(message)))])))


NAME = b"\x06\x03\x2b\x06\x01"


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (b"\x43\x04\xff\xff\xff\xff", "ticks", 2**32 - 1),  # without its leading zero octet
        (b"\x43\x05\x00\xff\xff\xff\xff", "ticks", 2**32 - 1),
        (b"\x43\x05\x01\x00\x00\x00\x00", "ticks", None),
        (b"\x43\x00", "ticks", None),
        (b"\x06\x00", "oid", None),
        (b"\x06\x01\x81", "oid", None),  # its last octet is missing
        (b"\x06\x07\x2b\x9f\xff\xff\xff\xff\x7f", "oid", None),  # beyond 32 bits
        (b"\x06\x03\x88\x37\x03", "oid", (2, 999, 3)),
        (b"\x44\x02hi", "text", None),
        (b"\x30\x02hi", "text", None),
    ],
)
def test_reader_loses_a_bad_value_alone(value, field, expected):
    good = NAME + b"\x04\x02ok"
    found = read_response(raw(good, NAME + value, good))
    assert [name for name, _ in found.bindings] == [(1, 3, 6, 1)] * 3
    assert getattr(found.bindings[1][1], field) == expected
    assert found.bindings[0][1].text == found.bindings[2][1].text == b"ok"


@pytest.mark.parametrize("item", [b"", NAME, b"\x06\x00\x04\x01x", NAME + b"\x04\x7fx", b"\x05\0"])
def test_reader_leaves_out_a_binding_without_a_name_or_a_value(item):
    good = NAME + b"\x04\x02ok"
    found = read_response(raw(good, item, good))
    assert [value.text for _, value in found.bindings] == [b"ok", b"ok"]


@given(LISTS.filter(len), st.data())
def test_reader_keeps_the_bindings_before_the_cut_of_a_datagram(pairs, data):
    message = encoded(pairs)
    cut = data.draw(st.integers(len(encoded([])), len(message) - 1))
    found, whole = read_response(message[:cut]), read_response(message)
    assert found is None or found.bindings == whole.bindings[: len(found.bindings)]
    lost = len(message) - cut
    sizes = [len(encoded([pair])) - len(encoded([])) for pair in reversed(pairs)]
    if lost <= sizes[0] and len(message) < 128:
        assert len(found.bindings) == len(pairs) - 1


def test_reader_cuts_an_oid_that_is_too_long():
    value = Value(tag=6, octets=b"\x2b" + b"\x01" * 5000)
    assert len(value.oid) == OID_PARTS


@pytest.mark.parametrize(
    "data",
    [
        raw()[:20],
        raw().replace(b"\xa2", b"\xa0", 1),
        raw().replace(b"\x30", b"\x31", 1),
        tlv(0x30, tlv(2, b"\x01")),
        tlv(0x30, tlv(2, b"\x01"), tlv(4, b"x"), tlv(0xA2, tlv(2, b"\x01"), tlv(4, b"x"))),
    ],
)
def test_reader_returns_none_for_other_data(data):
    assert read_response(data) is None

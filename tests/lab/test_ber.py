"""The lab's codec against pysnmp's."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from pdsno_cli.lab import ber
from tests.lab.oracle import read, request

OIDS = st.builds(
    lambda first, second, rest: (first, second, *rest),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
KINDS = {
    ber.GET: v2c.GetRequestPDU,
    ber.GET_NEXT: v2c.GetNextRequestPDU,
    ber.GET_BULK: v2c.GetBulkRequestPDU,
    ber.SET: v2c.SetRequestPDU,
}


@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(OIDS, max_size=30),
    st.integers(0, 2**31 - 1),
    st.binary(max_size=40),
)
def test_read_request_reads_what_pysnmp_writes(kind, oids, request_id, community):
    encoded = request(KINDS[kind](), oids, 1, 25, community=community, request_id=request_id)
    found = ber.read_request(encoded)
    assert (found.version, found.pdu.kind, found.pdu.request_id) == (1, kind, request_id)
    assert ber.read_version(encoded) == 1
    assert found.pdu.oids == tuple(oids)
    assert found.community == community
    if kind == ber.GET_BULK:
        assert (found.pdu.first, found.pdu.second) == (1, 25)


@given(OIDS)
def test_object_id_is_that_of_pysnmp(oid):
    assert ber.object_id(oid) == encoder.encode(v2c.ObjectIdentifier(oid))


@pytest.mark.parametrize(
    ("tag", "kind", "most"),
    [
        (ber.INTEGER, v2c.Integer32, 2**31 - 1),
        (ber.GAUGE, v2c.Gauge32, 2**32 - 1),
        (ber.COUNTER, v2c.Counter32, 2**32 - 1),
        (ber.TICKS, v2c.TimeTicks, 2**32 - 1),
        (ber.COUNTER64, v2c.Counter64, 2**64 - 1),
    ],
)
def test_number_is_that_of_pysnmp(tag, kind, most):
    for value in (0, 1, 127, 128, 255, 256, 65_535, 2**24, most):
        assert ber.number(value, tag) == encoder.encode(kind(value))
    assert ber.number(-129) == encoder.encode(v2c.Integer32(-129))


@given(st.binary(max_size=70_000))
def test_octets_are_those_of_pysnmp(value):
    assert ber.octets(value) == encoder.encode(v2c.OctetString(value))


def test_response_is_read_by_pysnmp():
    found = ber.read_request(request(v2c.GetRequestPDU(), [(1, 3, 6, 1)], request_id=99))
    pair = ber.tlv(ber.SEQUENCE, ber.object_id((1, 3, 6, 1)) + ber.octets(b"x" * 300))
    assert read(ber.message(found, ber.response(found.pdu, pair, error=5, index=1))) == (
        99, 5, 1, [((1, 3, 6, 1), v2c.OctetString(b"x" * 300))],
    )  # fmt: skip


@given(st.data())
def test_read_request_refuses_a_damaged_one_with_one_kind_of_error(data):
    whole = bytearray(request(v2c.GetBulkRequestPDU(), [(1, 3, 6, 1), (1, 3)], 0, 10))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        ber.read_request(bytes(whole[: data.draw(st.integers(0, len(whole)))]))

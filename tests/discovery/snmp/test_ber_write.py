"""The writer of SNMP requests against pysnmp's codec as an oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp.ber import read_index, read_oid
from pdsno_cli.discovery.snmp.ber_write import (
    GET,
    GET_BULK,
    GET_NEXT,
    write_index,
    write_oid,
    write_request,
)
from tests.discovery.snmp.test_ber import OIDS

KINDS = {GET: v2c.GetRequestPDU, GET_NEXT: v2c.GetNextRequestPDU, GET_BULK: v2c.GetBulkRequestPDU}


@pytest.mark.parametrize("kind", KINDS)
@given(
    st.lists(OIDS, max_size=12),
    st.binary(max_size=200),
    st.integers(0x4000_0000, 2**31 - 1),
    st.tuples(st.integers(0, 12), st.integers(0, 1000)),
)
def test_writer_writes_what_pysnmp_writes(kind, oids, community, request_id, numbers):
    once, rows = numbers
    bulk = kind == GET_BULK
    pdu = KINDS[kind]()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    if bulk:
        v2c.apiBulkPDU.set_non_repeaters(pdu, once)
        v2c.apiBulkPDU.set_max_repetitions(pdu, rows)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    packet = write_request(
        kind, community, list(map(write_oid, oids)), once=bulk * once, rows=bulk * rows
    )
    assert packet.with_id(request_id) == encoder.encode(message)


@given(OIDS, st.lists(st.integers(0, 2**32 - 1), max_size=12).map(tuple))
def test_reader_reads_the_index_behind_a_prefix(prefix, index):
    name = write_oid((*prefix, *index))
    assert name == write_oid(prefix) + write_index(index)
    assert read_oid(name) == (*prefix, *index)
    assert read_index(write_index(index)) == index


@pytest.mark.parametrize(
    "octets", [b"\x81", b"\x01\xff", b"\x9f\xff\xff\xff\x7f", b"\x81\x00" * 200]
)
def test_reader_refuses_a_broken_index(octets):
    assert read_index(octets) is None

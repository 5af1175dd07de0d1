"""Odd and mutated answers, seeded: the reader beside pysnmp's codec, and whole readings of details."""

from __future__ import annotations

import random
import socket
import threading
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from pdsno_cli.discovery.snmp.ber import read_oid, read_raw, read_response
from pdsno_cli.discovery.snmp.ber_write import write_request
from pdsno_cli.discovery.snmp.details.conversations import Conversations
from pdsno_cli.discovery.snmp.details.detail import read_detail
from pdsno_cli.discovery.snmp.details.walk import MAX_REQUESTS
from pdsno_cli.discovery.udp import UdpSockets
from pdsno_cli.model.details import Detail
from pdsno_cli.spec.topology import Details
from tests.discovery.conftest import responder
from tests.discovery.snmp.details.switch import DETAIL, OBJECTS
from tests.discovery.snmp.table_agent import TableAgent, parse, tlv
from tests.discovery.snmp.test_ber import OIDS, encoded

ADDRESS = "127.101.43.1"
VALUES = st.one_of(
    st.binary(max_size=200).map(v2c.OctetString),
    st.binary(max_size=40).map(v2c.Opaque),
    OIDS.map(v2c.ObjectIdentifier),
    st.integers(-(2**31), 2**31 - 1).map(v2c.Integer32),
    st.integers(0, 2**32 - 1).map(v2c.Counter32),
    st.integers(0, 2**32 - 1).map(v2c.Gauge32),
    st.integers(0, 2**32 - 1).map(v2c.TimeTicks),
    st.integers(0, 2**64 - 1).map(v2c.Counter64),
    st.ip_addresses(v=4).map(lambda address: v2c.IpAddress(str(address))),
    st.sampled_from([rfc1905.noSuchObject, rfc1905.noSuchInstance, rfc1905.endOfMibView]),
)


def oracle(data):
    """Return the response that pysnmp reads in ``data``, as ours; None where it refuses it."""
    try:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        if not isinstance(pdu, v2c.ResponsePDU):
            return None
        found = [
            (tuple(name), *parse(encoder.encode(value))[0])
            for name, value in v2c.apiPDU.get_varbinds(pdu)
        ]
    except Exception:  # noqa: BLE001 - the codec raises anything on arbitrary bytes
        return None
    return int(v2c.apiPDU.get_request_id(pdu)), int(pdu[1]), int(pdu[2]), found


def ours(data):
    found = read_response(data)
    if found is None:
        return None
    bindings = [(name, value.tag, value.octets) for name, value in found.bindings]
    return found.request_id, found.error_status, found.error_index, bindings


@given(st.lists(st.tuples(OIDS, VALUES), max_size=8))
def test_values_of_every_type_are_read_as_pysnmp_reads_them(pairs):
    data = encoded(pairs)
    assert ours(data) == oracle(data)
    for (_, written), (_, value) in zip(pairs, read_response(data).bindings, strict=True):
        numeric = isinstance(written, (v2c.Integer32, v2c.Counter32, v2c.Gauge32, v2c.TimeTicks, v2c.Counter64))  # fmt: skip
        assert value.number == (int(written) if numeric else None)


def random_pairs(rng):
    make = (
        lambda: v2c.OctetString(rng.randbytes(rng.randrange(40))),
        lambda: v2c.Integer32(rng.randrange(-1000, 1000)),
        lambda: v2c.Counter32(rng.randrange(2**32)),
        lambda: v2c.TimeTicks(rng.randrange(2**32)),
        lambda: v2c.ObjectIdentifier((1, 3, 6, 1, rng.randrange(2**20))),
        lambda: v2c.IpAddress(".".join(str(rng.randrange(256)) for _ in range(4))),
    )
    return [((1, 3, 6, 1, 2, 1, n, rng.randrange(2**16)), rng.choice(make)()) for n in range(6)]


def mutated(data, rng):
    """Return ``data`` with a few octets changed, removed or doubled."""
    message = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(message))
        how = rng.randrange(8)
        if how == 0:
            del message[at]
        elif how == 1:
            message.insert(at, message[at])
        else:
            message[at] = rng.randrange(256)
    return bytes(message)


def plain(data):
    """Return True if no length is in the indefinite form, which SNMP does not use."""
    return b"\x80" not in data


@pytest.mark.parametrize("seed", range(20))
def test_what_pysnmp_reads_of_a_mutated_answer_is_read_equally(seed):
    rng = random.Random(seed)
    compared = 0
    for _ in range(150):
        data = mutated(encoded(random_pairs(rng)), rng)
        expected = oracle(data)
        if expected is not None and plain(data):
            compared += 1
            found = ours(data)
            assert found is not None, data.hex()
            assert found[:3] == expected[:3], data.hex()
            assert [item[0] for item in found[3]] == [item[0] for item in expected[3]], data.hex()
            assert same_values(found[3], expected[3]), data.hex()
    assert compared > 15


def same_values(found, expected):
    """Compare octets as numbers where they are: pysnmp writes a number anew, in the shortest form."""
    for (_, tag, octets), (_, other, others) in zip(found, expected, strict=True):
        if tag & 0x20:
            continue  # strings in pieces, which SNMP does not use (RFC 3417 section 8)
        if tag != other:
            return False
        if tag in {0x02, 0x41, 0x42, 0x43, 0x46}:
            if int.from_bytes(octets, "big", signed=True) != int.from_bytes(
                others, "big", signed=True
            ):
                return False
        elif (tag == 0x06 and read_oid(octets) != read_oid(others)) or (
            tag != 0x06 and octets != others
        ):
            return False
    return True


@pytest.mark.parametrize("seed", range(20))
def test_mutation_within_one_binding_loses_at_most_that_one(seed):
    rng = random.Random(seed)
    for _ in range(100):
        pairs = random_pairs(rng)
        broken = rng.randrange(len(pairs))
        bindings = []
        for number, (oid, value) in enumerate(pairs):
            body = bytearray(encoder.encode(v2c.ObjectIdentifier(oid)) + encoder.encode(value))
            if number == broken:
                for _ in range(rng.randrange(1, 4)):
                    body[rng.randrange(len(body))] = rng.randrange(256)
            bindings.append(tlv(0x30, bytes(body)))
        pdu = tlv(
            0xA2, tlv(2, b"\x07") + tlv(2, b"\0") + tlv(2, b"\0") + tlv(0x30, b"".join(bindings))
        )
        found = read_raw(tlv(0x30, tlv(2, b"\x01") + tlv(4, b"public") + pdu))
        whole = read_response(encoded(pairs, 7)).bindings
        assert len(found.bindings) == len(pairs)  # each keeps its position
        for number, (_, value) in enumerate(found.bindings):
            assert number == broken or value == whole[number][1]


def drive(task, agent, spoil):
    """Run a task against an agent in memory, its answers spoiled; return result and requests."""
    count = 0
    try:
        request = next(task)
        while True:
            count += 1
            packet = write_request(
                request.kind, b"public", request.names, once=request.once, rows=request.rows
            )
            answer = agent(packet.with_id(0x4000_0000))
            answer = None if answer is None else spoil(answer)
            request = task.send(None if answer is None else read_raw(answer))
    except StopIteration as done:
        return done.value, count


@pytest.mark.parametrize("seed", range(60))
def test_reading_of_mutated_answers_ends_with_valid_details(seed):
    rng = random.Random(seed)

    def spoil(answer):
        how = rng.random()
        if how < 0.1:
            return None
        return mutated(answer, rng) if how < 0.6 else answer

    agent = TableAgent(OBJECTS, varbinds=rng.choice((1, 7, 60)))
    reading, requests = drive(read_detail(Details(forwarding=True)), agent, spoil)
    assert requests <= MAX_REQUESTS
    detail = reading.detail
    assert msgspec.json.decode(msgspec.json.encode(detail), type=Detail) == detail


def test_reading_of_seldom_mutated_answers_loses_little():
    kept = []
    for seed in range(40):
        rng = random.Random(seed)

        def spoil(answer, rng=rng):
            return mutated(answer, rng) if rng.random() < 0.05 else answer

        reading, _ = drive(read_detail(Details()), TableAgent(OBJECTS, varbinds=12), spoil)
        kept.append(len(reading.detail.interfaces) / len(DETAIL.interfaces))
    assert sum(kept) / len(kept) > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_mutated_answers_over_a_socket(seed):
    rng, agent = random.Random(seed), TableAgent(OBJECTS)

    def answer(data):
        reply = agent(data)
        return mutated(reply, rng) if rng.random() < 0.3 else reply

    with (
        responder(ADDRESS, answer) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        sock.setblocking(False)
        conversations = Conversations(
            UdpSockets([sock]), {ADDRESS: b"public"}, port=port, timeout=0.05, tries=2
        )
        found = conversations.run(
            [(ADDRESS, read_detail(Details()))], threading.Event(), time.monotonic() + 30
        )
    detail = found[ADDRESS].detail
    assert msgspec.json.decode(msgspec.json.encode(detail), type=Detail) == detail


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_raw_reader_takes_any_bytes(data):
    found = read_raw(data)
    assert found is None or all(len(name) <= len(data) for name, _ in found.bindings)

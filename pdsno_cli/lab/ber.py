"""The wire of the lab's agents: SNMP v2c requests and responses (RFC 3416) in BER (X.690).

pysnmp is its oracle in the tests. It is not used here: it takes 20 ms for one response with a hundred
objects, and one process has to answer for some hundred devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

Oid = tuple[int, ...]

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER, GAUGE, TICKS, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, END_OF_MIB_VIEW = b"\x80\x00", b"\x82\x00"
GET, GET_NEXT, RESPONSE, SET, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5
VERSION_2C, VERSION_3 = 1, 3

_MAX_SUB_IDENTIFIERS = 128  # of an OID, RFC 3416 section 4.1


@dataclass(frozen=True, slots=True)
class Pdu:
    """A decoded request. ``first`` and ``second`` are those of GETBULK: non-repeaters, repetitions.

    ``bindings`` are the request's own, as they were sent.
    """

    kind: int
    request_id: int
    first: int
    second: int
    oids: tuple[Oid, ...]
    bindings: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded message of SNMP v1 or v2c."""

    version: int
    community: bytes
    pdu: Pdu


def tlv(tag: int, content: bytes) -> bytes:
    """Return one value with its tag and length."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def number(value: int, tag: int = INTEGER) -> bytes:
    """Return an integer in as few bytes as can be; unsigned types take a non-negative one."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def octets(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(OCTETS, value)


@lru_cache(maxsize=4096)
def object_id(oid: Oid) -> bytes:
    """Return an OBJECT IDENTIFIER; the first two numbers share a byte."""
    content = bytearray()
    for part in (oid[0] * 40 + oid[1], *oid[2:]):
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(part & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(OBJECT_ID, bytes(content))


def response(pdu: Pdu, bindings: bytes, *, error: int = 0, index: int = 0) -> bytes:
    """Return the response PDU to a request; ``bindings`` are the encoded pairs in one string."""
    head = number(pdu.request_id) + number(error) + number(index)
    return tlv(RESPONSE, head + tlv(SEQUENCE, bindings))


def message(request: Request, pdu: bytes) -> bytes:
    """Return the message of a response to a request."""
    return tlv(SEQUENCE, number(request.version) + octets(request.community) + pdu)


def read_version(data: bytes) -> int:
    """Return the version of a message; raises ValueError for anything else."""
    tag, start, stop = read(data, 0, len(data))
    require(tag == SEQUENCE)
    return integer(data, start, stop)[0]


def read_request(data: bytes) -> Request:
    """Decode a message of v1 or v2c; raises ValueError for anything else."""
    tag, start, stop = read(data, 0, len(data))
    require(tag == SEQUENCE)
    version, start = integer(data, start, stop)
    community, start = text(data, start, stop)
    return Request(version, community, read_pdu(data, start, stop))


def read_pdu(data: bytes, start: int, stop: int) -> Pdu:
    """Decode a request at a place; raises ValueError for anything else."""
    kind, start, stop = read(data, start, stop)
    request_id, start = integer(data, start, stop)
    first, start = integer(data, start, stop)
    second, start = integer(data, start, stop)
    tag, start, stop = read(data, start, stop)
    require(tag == SEQUENCE)
    bindings, oids = data[start:stop], []
    while start < stop:
        tag, begin, end = read(data, start, stop)
        require(tag == SEQUENCE)
        tag, at, until = read(data, begin, end)
        require(tag == OBJECT_ID)
        oids.append(read_oid(data[at:until]))
        read(data, until, end)  # a value, whatever it is
        start = end
    return Pdu(kind, request_id, first, second, tuple(oids), bindings)


def require(condition: bool) -> None:
    """Raise ValueError unless a condition holds."""
    if not condition:
        raise ValueError("malformed")


def read(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag at a place, and where its content begins and ends."""
    require(at + 2 <= end)
    tag, length = data[at], data[at + 1]
    start = at + 2
    if length & 0x80:
        size = length & 0x7F
        require(0 < size <= 4 and start + size <= end)
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    require(start + length <= end)
    return tag, start, start + length


def integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the integer at a place, and where it ends."""
    tag, start, stop = read(data, at, end)
    require(tag == INTEGER and 0 < stop - start <= 5)
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def text(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Return the octet string at a place, and where it ends."""
    tag, start, stop = read(data, at, end)
    require(tag == OCTETS)
    return data[start:stop], stop


@lru_cache(maxsize=1024)
def read_oid(content: bytes) -> Oid:
    """Return the OID of an encoded content; raises ValueError if it is malformed."""
    parts, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        require(value < 2**32 + 80)
        if not byte & 0x80:
            parts.append(value)
            value = 0
    require(bool(parts) and not content[-1] & 0x80 and len(parts) < _MAX_SUB_IDENTIFIERS)
    first = min(parts[0] // 40, 2)
    return (first, parts[0] - 40 * first, *parts[1:])

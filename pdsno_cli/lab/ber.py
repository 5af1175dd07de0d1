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
VERSION_2C = 1

_MAX_SUB_IDENTIFIERS = 128  # of an OID, RFC 3416 section 4.1


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request. ``first`` and ``second`` are those of GETBULK: non-repeaters, repetitions.

    ``bindings`` are the request's own, as they were sent.
    """

    version: int
    community: bytes
    kind: int
    request_id: int
    first: int
    second: int
    oids: tuple[Oid, ...]
    bindings: bytes


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


def response(request: Request, bindings: bytes, *, error: int = 0, index: int = 0) -> bytes:
    """Return the response to a request; ``bindings`` are the encoded pairs in one string."""
    pdu = number(request.request_id) + number(error) + number(index) + tlv(SEQUENCE, bindings)
    head = number(request.version) + octets(request.community)
    return tlv(SEQUENCE, head + tlv(RESPONSE, pdu))


def read_request(data: bytes) -> Request:
    """Decode a request; raises ValueError for anything else."""
    tag, start, stop = _read(data, 0, len(data))
    _require(tag == SEQUENCE)
    version, start = _integer(data, start, stop)
    tag, begin, end = _read(data, start, stop)
    _require(tag == OCTETS)
    community = data[begin:end]
    kind, start, stop = _read(data, end, stop)
    request_id, start = _integer(data, start, stop)
    first, start = _integer(data, start, stop)
    second, start = _integer(data, start, stop)
    tag, start, stop = _read(data, start, stop)
    _require(tag == SEQUENCE)
    bindings, oids = data[start:stop], []
    while start < stop:
        tag, begin, end = _read(data, start, stop)
        _require(tag == SEQUENCE)
        tag, at, until = _read(data, begin, end)
        _require(tag == OBJECT_ID)
        oids.append(read_oid(data[at:until]))
        _read(data, until, end)  # a value, whatever it is
        start = end
    return Request(version, community, kind, request_id, first, second, tuple(oids), bindings)


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError("malformed")


def _read(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag at a place, and where its content begins and ends."""
    _require(at + 2 <= end)
    tag, length = data[at], data[at + 1]
    start = at + 2
    if length & 0x80:
        size = length & 0x7F
        _require(0 < size <= 4 and start + size <= end)
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    _require(start + length <= end)
    return tag, start, start + length


def _integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    tag, start, stop = _read(data, at, end)
    _require(tag == INTEGER and 0 < stop - start <= 5)
    return int.from_bytes(data[start:stop], "big", signed=True), stop


@lru_cache(maxsize=1024)
def read_oid(content: bytes) -> Oid:
    """Return the OID of an encoded content; raises ValueError if it is malformed."""
    parts, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        _require(value < 2**32 + 80)
        if not byte & 0x80:
            parts.append(value)
            value = 0
    _require(bool(parts) and not content[-1] & 0x80 and len(parts) < _MAX_SUB_IDENTIFIERS)
    first = min(parts[0] // 40, 2)
    return (first, parts[0] - 40 * first, *parts[1:])

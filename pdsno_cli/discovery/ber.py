"""Reads SNMP responses (BER, RFC 3416) as real agents send them; pure.

A wrongly encoded value is skipped alone: the values beside it may be right, and other managers read
them. Only the needed parts of the message are read, since any host may send anything: nothing here
raises on bytes, recurses, or takes longer than the datagram is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Oid = tuple[int, ...]

OID_PARTS = 128  # sub-identifiers of an OID (RFC 2578 section 3.5); what follows is cut

_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_TIME_TICKS = 0x43
_RESPONSE = 0xA2
_LARGEST = 0xFFFF_FFFF  # of TimeTicks and of a sub-identifier: 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as it was sent: the tag of its type and its octets."""

    tag: int
    octets: bytes

    @property
    def text(self) -> bytes | None:
        """The octets of an OCTET STRING, None for another type."""
        return self.octets if self.tag == _OCTETS else None

    @property
    def oid(self) -> Oid | None:
        """The sub-identifiers of an OBJECT IDENTIFIER, None for another type or a broken one."""
        return _oid(self.octets) if self.tag == _OID else None

    @property
    def ticks(self) -> int | None:
        """The hundredths of a second of TimeTicks, None for another type or too large a number.

        It is unsigned whatever its first bit: many agents omit the leading zero octet.
        """
        number = int.from_bytes(self.octets, "big")
        if self.tag != _TIME_TICKS or not self.octets or number > _LARGEST:
            return None
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response PDU; bindings without a readable name are left out."""

    request_id: int
    error_status: int
    error_index: int
    bindings: tuple[tuple[Oid, Value], ...]


def read_response(data: bytes) -> Response | None:
    """Return the response in a datagram, None if it has none."""
    message = next(_items(data), None)
    if message is None or message.tag != _SEQUENCE:
        return None
    parts = list(_items(message.octets))  # version, community, PDU
    if len(parts) != 3 or parts[2].tag != _RESPONSE:
        return None
    fields = list(_items(parts[2].octets))
    if len(fields) < 3 or any(item.tag != _INTEGER for item in fields[:3]):
        return None
    numbers = [int.from_bytes(item.octets[:8], "big", signed=True) for item in fields[:3]]
    listed = fields[3].octets if len(fields) > 3 and fields[3].tag == _SEQUENCE else b""
    return Response(
        request_id=numbers[0],
        error_status=numbers[1],
        error_index=numbers[2],
        bindings=tuple(_bindings(listed)),
    )


def _bindings(data: bytes) -> Iterator[tuple[Oid, Value]]:
    for binding in _items(data):
        pair = list(_items(binding.octets)) if binding.tag == _SEQUENCE else []
        name = pair[0].oid if len(pair) > 1 else None
        if name is not None:
            yield name, pair[1]


def _items(data: bytes) -> Iterator[Value]:
    """Yield the items that follow each other in ``data``, up to one that is cut off."""
    at = 0
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or at + size > len(data):
                return  # SNMP does not use the indefinite form (RFC 3417 section 8)
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            return
        yield Value(tag=tag, octets=data[at : at + length])
        at += length


def _oid(octets: bytes) -> Oid | None:
    parts: list[int] = []
    number, complete = 0, False
    for octet in octets:
        number = number << 7 | octet & 0x7F
        complete = not octet & 0x80
        if number > _LARGEST + 80:  # the first holds two: 40 times one of 0, 1, 2, and the next
            return None
        if complete:
            parts.append(number)
            number = 0
        if len(parts) == OID_PARTS - 1:
            break
    if not complete:
        return None
    head = min(parts[0] // 40, 2)
    return head, parts[0] - 40 * head, *parts[1:]

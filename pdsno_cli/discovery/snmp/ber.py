"""Reads SNMP responses (BER, RFC 3416) as real agents send them; pure.

A wrongly encoded value is skipped alone: the values beside it may be right, and other managers read
them. Only the needed parts of the message are read, since any host may send anything: nothing here
raises on bytes, recurses, or takes longer than the datagram is long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Oid = tuple[int, ...]

OID_PARTS = 128  # sub-identifiers of an OID (RFC 2578 section 3.5); what follows is cut

_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_TIME_TICKS = 0x43
_RESPONSE = 0xA2
_NUMBERS = frozenset({_INTEGER, 0x41, 0x42, _TIME_TICKS, 0x46})  # and the counters and Gauge32
_NUMBER_OCTETS = 9  # of Counter64, with its leading zero
_LARGEST = 0xFFFF_FFFF  # of TimeTicks and of a sub-identifier: 32 bits


class Value(NamedTuple):
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
        return read_oid(self.octets) if self.tag == _OID else None

    @property
    def ticks(self) -> int | None:
        """The hundredths of a second of TimeTicks, None for another type or too large a number.

        It is unsigned whatever its first bit: many agents omit the leading zero octet.
        """
        number = int.from_bytes(self.octets, "big")
        if self.tag != _TIME_TICKS or not self.octets or number > _LARGEST:
            return None
        return number

    @property
    def number(self) -> int | None:
        """The number of an INTEGER, counter, gauge or TimeTicks, None for another type or none.

        All but INTEGER are unsigned, as ``ticks``.
        """
        if self.tag not in _NUMBERS or not 0 < len(self.octets) <= _NUMBER_OCTETS:
            return None
        return int.from_bytes(self.octets, "big", signed=self.tag == _INTEGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response PDU; bindings without a readable name are left out."""

    request_id: int
    error_status: int
    error_index: int
    bindings: tuple[tuple[Oid, Value], ...]


# Stands in the place of a binding that cannot be read: those behind it keep their positions.
BROKEN = (b"", Value(0, b""))


class RawResponse(NamedTuple):
    """A response PDU whose names are the octets of their OIDs, which prefixes are compared with."""

    request_id: int
    error_status: int
    error_index: int
    bindings: list[tuple[bytes, Value]]


def read_response(data: bytes) -> Response | None:
    """Return the response in a datagram, None if it has none."""
    raw = read_raw(data)
    if raw is None:
        return None
    named = ((read_oid(name), value) for name, value in raw.bindings)
    return Response(
        request_id=raw.request_id,
        error_status=raw.error_status,
        error_index=raw.error_index,
        bindings=tuple((name, value) for name, value in named if name is not None),
    )


def read_raw(data: bytes) -> RawResponse | None:
    """Return the response in a datagram with the names of its bindings undecoded, None if none.

    Of a datagram that is cut off, the bindings before the cut are returned.
    """
    at, end = _enter(data, 0, len(data), _SEQUENCE)  # the message
    for _ in ("version", "community"):
        _, _, at = _item(data, at, end)
    at, end = _enter(data, at, end, _RESPONSE)
    numbers = []
    for _ in ("request-id", "error-status", "error-index"):
        tag, start, at = _item(data, at, end)
        if tag != _INTEGER:
            return None
        numbers.append(int.from_bytes(data[start : min(at, start + 8)], "big", signed=True))
    at, end = _enter(data, at, end, _SEQUENCE)
    return RawResponse(numbers[0], numbers[1], numbers[2], _bindings(data, at, end))


def _bindings(data: bytes, at: int, end: int) -> list[tuple[bytes, Value]]:
    """Return the bindings between two positions. The hot path: lengths below 128 are read in place."""
    found = []
    while at + 2 <= end:
        tag, length = data[at], data[at + 1]
        if length < 0x80:
            start, stop = at + 2, at + 2 + length
        else:
            tag, start, stop = _item(data, at, end)
        if stop > end:
            break
        at = stop
        if tag != _SEQUENCE or stop - start < 4:
            found.append(BROKEN)
            continue
        tag, length = data[start], data[start + 1]
        if length < 0x80:
            name, split = start + 2, start + 2 + length
        else:
            tag, name, split = _item(data, start, stop)
        if tag != _OID or split + 2 > stop:
            found.append(BROKEN)
            continue
        tag, length = data[split], data[split + 1]
        if length < 0x80:
            value, after = split + 2, split + 2 + length
        else:
            tag, value, after = _item(data, split, stop)
        found.append((data[name:split], Value(tag, data[value:after])) if after <= stop else BROKEN)
    return found


def read_items(data: bytes) -> list[Value]:
    """Return the items that follow each other in ``data``, up to one that is cut off."""
    at, found = 0, []
    while at < len(data):
        tag, start, at = _item(data, at, len(data))
        if at > len(data):
            break
        found.append(Value(tag, data[start:at]))
    return found


def _item(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag of the item at a position, where its content starts, and where it stops.

    One without a complete header has the tag 0, and stops beyond ``end``, as does one that is cut off.
    """
    if at + 2 > end:
        return 0, end, end + 1
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or start + size > end:
            return 0, end, end + 1  # SNMP does not use the indefinite form (RFC 3417 section 8)
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    return tag, start, start + length


def _enter(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the item at a position starts and stops; empty for another tag.

    A container that is cut off ends where the datagram does: what it holds before is good.
    """
    found, start, stop = _item(data, at, end)
    return (start, min(stop, end)) if found == tag else (end, end)


def read_oid(octets: bytes) -> Oid | None:
    """Return the sub-identifiers in the octets of an OBJECT IDENTIFIER, None if they are broken."""
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


def read_index(octets: bytes) -> Oid | None:
    """Return the sub-identifiers in what follows the prefix of a name, None if they are broken."""
    if octets.isascii():  # each below 128 is one octet
        return tuple(octets)
    parts: list[int] = []
    number, complete = 0, True
    for octet in octets:
        number = number << 7 | octet & 0x7F
        complete = not octet & 0x80
        if number > _LARGEST or len(parts) == OID_PARTS:
            return None
        if complete:
            parts.append(number)
            number = 0
    return tuple(parts) if complete else None

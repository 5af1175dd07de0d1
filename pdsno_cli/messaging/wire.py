"""Encodes and decodes the MQTT packets that bypass paho: PUBLISH, PUBACK, PUBREC, DISCONNECT.

Pure. MQTT 3.1.1 sections 2.2, 3.3 and 3.14, MQTT 5.0 sections 2.1, 3.3 and 3.14.
"""

from __future__ import annotations

PUBLISH = 0x30
PUBACK = 0x40
PUBREC = 0x50
DISCONNECT = b"\xe0\x00"  # of both versions, so that no will is published
_RETAIN = 0x01


class MalformedError(ValueError):
    """Invalid MQTT bytes."""


# Plain tuples, since one is made for every received message, and a named one takes ten times as
# long. A whole packet: its first byte, and where its body begins and ends.
Packet = tuple[int, int, int]
# A PUBLISH: topic, payload, retain flag, QoS, and packet id, which is 0 at QoS 0.
Published = tuple[str, bytes, bool, int, int]


def split(data: bytes) -> tuple[list[Packet], int, int]:
    """Return the whole packets of ``data``, where the rest begins, and how many bytes it lacks.

    A rest of unknown length lacks at least 1 byte; without a rest, 0 are lacking.
    """
    packets: list[Packet] = []
    at, end = 0, len(data)
    while end - at >= 2:
        length, start = data[at + 1], at + 2
        if length & 0x80:
            length, start = _length(data, at + 1)
            if start == 0:
                break
        stop = start + length
        if stop > end:
            return packets, at, stop - end
        packets.append((data[at], start, stop))
        at = stop
    return packets, at, 1 if at < end else 0


def published(data: bytes, packet: Packet, *, v5: bool) -> Published:
    """Return ``packet`` of ``data`` as a PUBLISH; MalformedError if it is not a valid one."""
    command, start, stop = packet
    qos = command >> 1 & 3
    begin = start + 2
    if begin > stop or qos == 3:
        raise MalformedError("a PUBLISH without topic, or at QoS 3")
    at = begin + (data[start] << 8 | data[start + 1])
    # Invalid UTF-8 never is a known topic: the receiver refuses the message and acknowledges it.
    topic = data[begin:at].decode("utf-8", "replace")
    packet_id = 0
    if qos:
        if at + 2 > stop:
            raise MalformedError("a PUBLISH without packet id")
        packet_id = data[at] << 8 | data[at + 1]
        at += 2
    if v5:
        if at >= stop:
            raise MalformedError("a PUBLISH without properties")
        length = data[at]
        if length & 0x80:
            length, at = _length(data, at)
            if at == 0:
                raise MalformedError("unterminated properties")
        else:
            at += 1
        at += length
    if at > stop:
        raise MalformedError("a PUBLISH that exceeds its length")
    return topic, data[at:stop], bool(command & _RETAIN), qos, packet_id


def beginning(data: bytes) -> Published | None:
    """Return the PUBLISH that ``data`` begins with, without its payload; None if incomplete.

    MalformedError for any other packet.
    """
    command = data[0]
    qos = command >> 1 & 3
    if command & 0xF0 != PUBLISH or qos == 3:
        raise MalformedError("an oversized packet other than a PUBLISH")
    _, start = _length(data, 1)
    at = start + 2
    if start == 0 or at > len(data):
        return None
    at += data[start] << 8 | data[start + 1]
    end = at + (2 if qos else 0)
    if end > len(data):
        return None
    topic = data[start + 2 : at].decode("utf-8", "replace")
    packet_id = data[at] << 8 | data[at + 1] if qos else 0
    return topic, b"", bool(command & _RETAIN), qos, packet_id


def answer(qos: int, packet_id: int) -> bytes:
    """Return PUBACK or PUBREC with success, which is four bytes in both versions."""
    return bytes((PUBACK if qos == 1 else PUBREC, 2, packet_id >> 8, packet_id & 0xFF))


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable byte integer at ``at`` and where it ends; (0, 0) if incomplete."""
    value = 0
    for number, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return value, at + number + 1
    if len(data) - at >= 4:
        raise MalformedError("a length of more than four bytes")
    return 0, 0

"""Answers Ethernet frames as a lab's hosts: ARP (RFC 826), ICMP echo and port unreachable (RFC 792), UDP; pure.

scapy is its oracle in the tests; a frame of scapy's takes 200 µs to build, and these are some thousand a
second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ETH_ARP, ETH_IPV4, ETH_LLDP = 0x0806, 0x0800, 0x88CC
MOST_BYTES = 1472  # of UDP in an Ethernet frame without fragments

_ARP_REQUEST = bytes.fromhex("0001080006040001")  # Ethernet, IPv4, lengths, who-has
_ARP_REPLY = bytes.fromhex("0001080006040002")
_ICMP, _UDP = 1, 17
_ECHO_REQUEST = 8
_PORT_UNREACHABLE = b"\x03\x03"
_QUOTED = 28  # bytes of a packet that an ICMP error repeats: its header and eight more
_BROADCAST = 0x01  # of the first octet of a MAC: several receive it
_TTL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host on the wire: ``answer`` is its agent's, at UDP ``port``; None if it has none."""

    mac: bytes
    address: bytes
    echo: bool
    port: int = 0
    answer: Callable[[bytes], bytes | None] | None = None


def answer(frame: bytes, hosts: Mapping[bytes, Host]) -> bytes | None:
    """Return the frame that a host answers with; None if no host does. ``hosts`` are by address."""
    kind = frame[12:14]
    if kind == b"\x08\x06":
        return _answer_arp(frame, hosts)
    if kind == b"\x08\x00" and len(frame) >= 34 and not frame[0] & _BROADCAST:
        host = hosts.get(frame[30:34])
        if host is not None and host.mac == frame[:6]:
            return _answer_ip(frame, host)
    return None


def _answer_arp(frame: bytes, hosts: Mapping[bytes, Host]) -> bytes | None:
    if len(frame) < 42 or frame[14:22] != _ARP_REQUEST:
        return None
    host = hosts.get(frame[38:42])
    if host is None or host.address == frame[28:32]:  # an announcement asks nobody
        return None
    asker = frame[22:28]
    head = asker + host.mac + b"\x08\x06" + _ARP_REPLY
    return head + host.mac + host.address + asker + frame[28:32]


def _answer_ip(frame: bytes, host: Host) -> bytes | None:
    start = 14 + (frame[14] & 0x0F) * 4
    end = 14 + int.from_bytes(frame[16:18], "big")
    fragment = int.from_bytes(frame[20:22], "big") & 0x3FFF
    if frame[14] >> 4 != 4 or start < 34 or not start + 8 <= end <= len(frame) or fragment:
        return None
    payload = frame[start:end]
    if frame[23] == _ICMP:
        if payload[0] != _ECHO_REQUEST or not host.echo:
            return None
        return _packet(frame, host, _ICMP, _with_checksum(b"\x00\x00" + payload[2:]))
    if frame[23] != _UDP:
        return None
    source, port, length = struct.unpack_from("!HHH", payload)
    if port != host.port or host.answer is None:
        if not host.echo:
            return None
        quoted = _PORT_UNREACHABLE + bytes(6) + frame[14 : 14 + _QUOTED]
        return _packet(frame, host, _ICMP, _with_checksum(quoted))
    data = host.answer(payload[8:length])
    if data is None or len(data) > MOST_BYTES:
        return None
    # Checksum 0: none (RFC 768).
    return _packet(frame, host, _UDP, struct.pack("!HHHH", port, source, 8 + len(data), 0) + data)


def _packet(frame: bytes, host: Host, protocol: int, payload: bytes) -> bytes:
    """Return a packet back to the sender of ``frame``."""
    header = (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, _TTL, protocol, 0)
        + host.address
        + frame[26:30]
    )
    header = header[:10] + internet_checksum(header) + header[12:]
    return frame[6:12] + host.mac + b"\x08\x00" + header + payload


def _with_checksum(message: bytes) -> bytes:
    return message[:2] + internet_checksum(message[:2] + b"\x00\x00" + message[4:]) + message[4:]


def internet_checksum(data: bytes) -> bytes:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return (~(total + (total >> 16)) & 0xFFFF).to_bytes(2, "big")

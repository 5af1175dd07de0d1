"""Answers IPv6 frames as a lab's hosts: neighbour solicitations (RFC 4861), ICMPv6 (RFC 4443), UDP; pure."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping

from pdsno_cli.lab.frames import MOST_BYTES, Host, internet_checksum

ETH_IPV6 = 0x86DD

_ALL_NODES = ipaddress.IPv6Address("ff02::1").packed
_UDP, _ICMP = 17, 58
_UNREACHABLE, _ECHO_REQUEST, _ECHO_REPLY, _SOLICITATION, _ADVERTISEMENT = 1, 128, 129, 135, 136
_NO_PORT = 4  # the code of _UNREACHABLE
_SOLICITED = 0x6000_0000  # and overrides what the neighbour knew
_LINK_ADDRESS = b"\x02\x01"  # target link-layer address, of eight octets
_HEADERS = 14 + 40
_QUOTED = 48  # bytes of a packet that an error repeats: its header and eight more
_HOP_LIMIT = 255  # of neighbour discovery; others do not mind


def address_of(prefix: str, address: str) -> str:
    """Return the IPv6 address of a host: its IPv4 address is the end of that in the prefix."""
    network = ipaddress.IPv6Network(prefix)
    return str(network.network_address + int(ipaddress.IPv4Address(address)))


def answers(frame: bytes, hosts: Mapping[bytes, Host]) -> Iterator[bytes]:
    """Yield the frames that hosts answer with. ``hosts`` are by address."""
    if len(frame) < _HEADERS + 8 or frame[12:14] != b"\x86\xdd":
        return
    end = _HEADERS + int.from_bytes(frame[18:20], "big")
    kind, target, payload = frame[20], frame[38:54], frame[_HEADERS:end]
    if end > len(frame) or not any(frame[22:38]):  # a host without an address asks nothing here
        return
    if kind == _ICMP and payload[0] == _SOLICITATION and len(payload) >= 24:
        host = hosts.get(payload[8:24])
        if host is not None:
            head = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, _SOLICITED)
            body = head + host.address + _LINK_ADDRESS + host.mac
            yield _packet(frame, host, _ICMP, body)
    elif kind == _ICMP and payload[0] == _ECHO_REQUEST and target == _ALL_NODES:
        yield from (_echo(frame, host, payload) for host in hosts.values() if host.echo)
    else:
        host = hosts.get(target)
        if host is not None and host.mac == frame[:6]:
            yield from _unicast(frame, host, kind, payload)


def _unicast(frame: bytes, host: Host, kind: int, payload: bytes) -> Iterator[bytes]:
    if kind == _ICMP and payload[0] == _ECHO_REQUEST and host.echo:
        yield _echo(frame, host, payload)
    if kind != _UDP:
        return
    source, port, length = struct.unpack_from("!HHH", payload)
    if port != host.port or host.answer is None:
        if host.echo:
            error = struct.pack("!BBHI", _UNREACHABLE, _NO_PORT, 0, 0)
            yield _packet(frame, host, _ICMP, error + frame[14 : 14 + _QUOTED])
        return
    data = host.answer(payload[8:length])
    if data is not None and len(data) <= MOST_BYTES:
        head = struct.pack("!HHHH", port, source, 8 + len(data), 0)
        yield _packet(frame, host, _UDP, head + data)


def _echo(frame: bytes, host: Host, payload: bytes) -> bytes:
    return _packet(frame, host, _ICMP, bytes((_ECHO_REPLY, 0, 0, 0)) + payload[4:])


def _packet(frame: bytes, host: Host, protocol: int, payload: bytes) -> bytes:
    """Return a packet back to the sender of ``frame``, with its checksum."""
    ends = host.address + frame[22:38]
    pseudo = ends + struct.pack("!II", len(payload), protocol)
    at = 2 if protocol == _ICMP else 6
    total = internet_checksum(pseudo + payload)
    if protocol == _UDP and total == b"\0\0":
        total = b"\xff\xff"  # 0 stands for none, which IPv6 does not allow (RFC 8200 section 8.1)
    payload = payload[:at] + total + payload[at + 2 :]
    header = struct.pack("!IHBB", 0x60000000, len(payload), protocol, _HOP_LIMIT)
    return frame[6:12] + host.mac + b"\x86\xdd" + header + ends + payload

"""The first datagram of SNMPv3: who speaks it, without a user (RFC 3414 section 4, discovery); pure.

An engine answers a request of an unknown engine id with a report that carries its own. Hosts that
do not answer are never asked with a user.
"""

from __future__ import annotations

from dataclasses import dataclass

from pdsno_cli.discovery.snmp.ber import read_items
from pdsno_cli.discovery.snmp.ber_write import GET, Packet, write_integer, write_item

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_VERSION = b"\x03"
_MAX_SIZE = 65_507
_REPORTABLE = b"\x04"
_USM = 3  # the security model


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An answer of an engine: the id of the message that it is to, and its own."""

    request_id: int
    engine_id: bytes


def hello() -> Packet:
    """Return the request; the id of the message stands in the place of the request-id."""
    empty = write_item(_OCTETS, b"")
    zero = write_integer(0)
    security = write_item(_SEQUENCE, empty + zero + zero + empty * 3)
    pdu = write_item(GET, write_integer(1) + zero + zero + write_item(_SEQUENCE, b""))
    model = write_integer(_MAX_SIZE) + write_item(_OCTETS, _REPORTABLE) + write_integer(_USM)
    rest = write_item(_OCTETS, security) + write_item(_SEQUENCE, empty + empty + pdu)
    version = write_item(_INTEGER, _VERSION)
    header = bytes((_SEQUENCE, 6 + len(model), _INTEGER, 4))
    length = len(version) + len(header) + 4 + len(model) + len(rest)
    return Packet(bytes((_SEQUENCE, length)) + version + header, model + rest)


def read_report(data: bytes) -> Report | None:
    """Return what an engine answered, None for anything else."""
    message = read_items(data)
    parts = read_items(message[0].octets) if message and message[0].tag == _SEQUENCE else []
    if len(parts) < 3 or (parts[0].tag, parts[0].octets) != (_INTEGER, _VERSION):
        return None
    header = read_items(parts[1].octets) if parts[1].tag == _SEQUENCE else []
    security = read_items(parts[2].octets) if parts[2].tag == _OCTETS else []
    usm = read_items(security[0].octets) if security else []
    if not header or header[0].tag != _INTEGER or not usm or usm[0].tag != _OCTETS:
        return None
    request_id = int.from_bytes(header[0].octets[:8], "big", signed=True)
    return Report(request_id=request_id, engine_id=usm[0].octets)

"""SNMP engine ids (RFC 3411, SnmpEngineID): which of them identify one device; pure."""

from __future__ import annotations

import ipaddress

from pdsno_cli.discovery.identify.placeholders import is_placeholder
from pdsno_cli.discovery.mac import format_mac

SHORTEST, LONGEST = 5, 32  # octets
_OLD_LENGTH = 12  # of the form whose first bit is 0
_IPV4, _IPV6, _MAC, _TEXT, _OCTETS = 1, 2, 3, 4, 5


def engine_id(octets: bytes) -> str | None:
    """Return an engine id in hexadecimal digits, None if it is malformed or stands for no one device.

    That is: without an enterprise, with a body of one repeated octet, or made of an address or text
    that many have.
    """
    if not SHORTEST <= len(octets) <= LONGEST:
        return None
    enterprise = int.from_bytes(octets[:4], "big") & 0x7FFF_FFFF
    if not enterprise or enterprise == 0x7FFF_FFFF:
        return None
    if octets[0] & 0x80:
        good = _is_own(octets[4], octets[5:])
    else:
        good = len(octets) == _OLD_LENGTH and len(set(octets[4:])) > 1
    return octets.hex() if good else None


def _is_own(form: int, body: bytes) -> bool:
    """Return True if the body of an engine id can be one device's."""
    if form in {_IPV4, _IPV6}:
        if len(body) != (4 if form == _IPV4 else 16):
            return False
        address = ipaddress.ip_address(body)
        return not (address.is_unspecified or address.is_loopback or address.is_multicast)
    if form == _MAC:
        return format_mac(body) is not None
    if form == _TEXT:
        text = body.strip(b"\0 ")
        return len(text) > 2 and not is_placeholder(text.decode("latin-1")) and len(set(text)) > 1
    return (form == _OCTETS or form >= 0x80) and len(set(body)) > 1

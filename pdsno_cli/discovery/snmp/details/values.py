"""Reads single values as agents really send them: a wrong type or format loses this value alone; pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pdsno_cli.discovery.snmp.ber import Value
from pdsno_cli.discovery.text import clean, clean_text
from pdsno_cli.model.details import TEXT_CHARACTERS

_STRINGS = frozenset({0x04, 0x40, 0x44})  # OCTET STRING, IpAddress, Opaque
_LARGEST_DIGITS = 19


def text_of(value: Value | None) -> str:
    """Return a value as text that is safe to print, empty if there is none; a number in digits."""
    if value is None:
        return ""
    if value.tag in _STRINGS:
        return clean_text(value.octets.strip(b"\0"), TEXT_CHARACTERS) or ""
    number = value.number
    return "" if number is None else str(number)


def number_of(value: Value | None) -> int | None:
    """Return a value as a number; also a string of digits, as some agents send it."""
    if value is None:
        return None
    if value.tag not in _STRINGS:
        return value.number
    digits = value.octets.strip(b" \0")
    return int(digits) if digits.isdigit() and len(digits) <= _LARGEST_DIGITS else None


def mac_of(value: Value | None) -> str | None:
    """Return a MAC address as six lower-case hex pairs; also one that is sent as text."""
    return None if value is None or value.tag not in _STRINGS else format_octets(value.octets)


def format_octets(octets: bytes) -> str | None:
    """Return six octets, or their text, as a MAC address; None for others and all zeros."""
    if len(octets) in {12, 14, 17}:
        plain = octets.replace(b":", b"").replace(b"-", b"").replace(b".", b"")
        try:
            octets = bytes.fromhex(plain.decode("ascii"))
        except ValueError:
            return None
    return octets.hex(":") if len(octets) == 6 and any(octets) else None


def address_of(octets: Sequence[int]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return 4 or 16 octets as an IP address; None for others and the unspecified address."""
    if len(octets) not in {4, 16} or not any(octets) or max(octets) > 0xFF:
        return None
    return ipaddress.ip_address(bytes(octets))


def identifier(octets: bytes, *, mac: bool, address: bool) -> str:
    """Return an identifier of LLDP as text: a MAC or an IP address as such, others cleaned.

    ``mac`` and ``address`` are True where its subtype says that it is one.
    """
    if mac and (found := format_octets(octets)) is not None:
        return found
    # The first octet is IANA's number of the address family (IEEE 802.1AB section 8.5.2.3).
    if address and octets[:1] in {b"\x01", b"\x02"}:
        number = address_of(octets[1:])
        if number is not None:
            return str(number)
    plain = octets.strip(b"\0")
    if _is_text(plain):
        return clean_text(plain, TEXT_CHARACTERS) or ""
    return format_octets(octets) or clean(octets.hex(":"), TEXT_CHARACTERS) or ""


def _is_text(octets: bytes) -> bool:
    """Return True for printable UTF-8, and for printable Latin-1 most of which is ASCII."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
        if 2 * sum(octet < 0x80 for octet in octets) < len(octets):
            return False
    return all(character.isprintable() or character in "\r\n\t" for character in text)

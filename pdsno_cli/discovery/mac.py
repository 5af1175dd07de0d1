"""MAC addresses (EUI-48): which of them identify a device, and their normal form."""

from __future__ import annotations

_GROUP_BIT = 0x01  # of the first octet: multicast and broadcast, IEEE 802-2014 section 8.2.2

# Addresses that several devices have at once or in turn, and that identify none: they belong to a
# service, or are derived from a value that is not unique. Each entry is their first hex digits.
_SHARED = (
    "00005e",  # IANA's: VRRP (RFC 9568) and CARP are 00:00:5e:00:01 and 00:00:5e:00:02
    "00000c07ac",  # HSRP
    "00000c9ff",  # HSRP version 2
    "000573a00",  # HSRP version 2 for IPv6
    "0007b400",  # GLBP
    "00e02b000080",  # ESRP
    "02e052",  # VRRP-E
    "001c73000099",  # VARP, as in its manuals
    "02bf",  # Network Load Balancing, unicast mode
    "025056564452",  # NSX: every distributed router
    "0242",  # Docker: derived from a private IPv4 address, the same on every host
)


def is_group(octets: bytes) -> bool:
    """Return True for a multicast or broadcast address."""
    return bool(octets[0] & _GROUP_BIT)


def format_mac(octets: bytes) -> str | None:
    """Return six bytes as lower-case hex pairs joined by colons.

    None if they do not identify one device: another length, all zero, a group address, an address
    that several devices share by design.
    """
    if len(octets) != 6 or not any(octets) or is_group(octets):
        return None
    return None if octets.hex().startswith(_SHARED) else octets.hex(":")


def normalise_mac(text: str) -> str | None:
    """Return ``text`` (pairs joined by ``:`` or ``-``, or bare hex) in normal form, None if invalid."""
    if "::" in text:
        return None  # an IPv6 address, whose digits may be as many
    try:
        return format_mac(bytes.fromhex(text.replace(":", "").replace("-", "").replace(".", "")))
    except ValueError:
        return None

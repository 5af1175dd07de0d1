"""MAC addresses (EUI-48) as probes meet them: which bytes identify a device, and how they print."""

from __future__ import annotations

_GROUP_BIT = 0x01  # of the first octet: multicast and broadcast, IEEE 802-2014 section 8.2.2


def format_mac(octets: bytes) -> str | None:
    """Return six bytes as lower-case hex pairs joined by colons.

    None for what names no single station: another length, all zero, a group address.
    """
    if len(octets) != 6 or not any(octets) or octets[0] & _GROUP_BIT:
        return None
    return octets.hex(":")


def normalise_mac(text: str) -> str | None:
    """Return ``text`` (pairs joined by ``:`` or ``-``, or bare hex) in the one form, or None."""
    try:
        return format_mac(bytes.fromhex(text.replace(":", "").replace("-", "").replace(".", "")))
    except ValueError:
        return None

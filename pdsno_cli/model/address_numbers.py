"""IP addresses as integers: one order for both families, IPv4 before IPv6.

An IPv4 address is its 32 bits. An IPv6 address is its 128 bits and ``IPV6``, so that no number is an
address of both. Text is canonical on the way out: dotted, or as RFC 5952 writes IPv6.
"""

from __future__ import annotations

import ipaddress

IPV6 = 1 << 128  # of every IPv6 address, and of no IPv4 address


def address_number(text: str) -> int:
    """Return the number of an address in any valid form; ValueError if it is none, or has a zone."""
    if ":" not in text:
        return int(ipaddress.IPv4Address(text))
    if "%" in text:
        raise ValueError(f"{text!r} has a zone")
    return IPV6 | int(ipaddress.IPv6Address(text))


def address_text(number: int) -> str:
    """Return an address in its canonical form."""
    if number < IPV6:
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Address(number ^ IPV6))


def address_order(text: str) -> int:
    """Return the number of an address as a sort key, the highest for a text that is none."""
    try:
        return address_number(text)
    except ValueError:
        return IPV6 << 1


def canonical(text: str) -> str:
    """Return an address in its canonical form; ValueError as ``address_number``."""
    return address_text(address_number(text))


def is_ipv6(text: str) -> bool:
    """Return True if ``text``, which is an address, is of IPv6."""
    return ":" in text

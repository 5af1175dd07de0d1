"""Addresses of servers: host and port, as written in files."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

_LOCALHOST = "localhost"


class Address(NamedTuple):
    """A host, an IPv6 address without brackets, and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, port: int) -> Address:
    """Return the address in ``host``, ``host:port`` or ``[IPv6]:port``; ``port`` if it has none."""
    host, colon, own = text.rpartition(":")
    if not colon or text.endswith("]"):
        return Address(text.strip("[]"), port)
    return Address(host.strip("[]"), int(own))


def is_loopback(host: str) -> bool:
    """Return True if ``host`` is reachable from this machine only."""
    if host.lower().rstrip(".") == _LOCALHOST:
        return True
    address = parse_host(host)
    return address is not None and address.is_loopback


def parse_host(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return ``host`` as an IP address, None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None

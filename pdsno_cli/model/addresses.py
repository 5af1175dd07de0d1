"""Addresses of servers: host and port, as written in files."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_LOCALHOST = "localhost"
_NOT_IN_A_NAME = frozenset(" \t\n:/@[]$'\"{}()<>,;*!?|\\=&^`#~")
_NUMBERS = re.compile(r"[0-9.]*[0-9][0-9.]*")


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


def host_problem(host: str) -> tuple[str, str | None] | None:
    """Return why ``host`` is not a name or an address alone, and what was probably meant.

    None if it is one. What was meant is as in a file: ``host: a, port: 1883``.
    """
    plain = host.strip()
    if parse_host(host) is not None:
        return None
    if plain == host and not set(host) & _NOT_IN_A_NAME:
        return name_problem(host)
    scheme, found, rest = plain.rpartition("://")
    rest, slash, tail = rest.partition("/")
    name, colon, port = rest.rpartition("@")[2].rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or parse_host(rest) is not None:
        name, port = rest.rpartition("@")[2], ""
    keys = f"host: {name}" + (f", port: {port}" if port else "")
    if scheme in ("mqtts", "ssl", "tls"):
        keys += ", tls: {}"
    clear = bool(name) and not tail.isdigit() and not set(name) & _NOT_IN_A_NAME
    if found:
        problem = "a host has no scheme"
    elif slash and tail.isdigit():
        problem = "a host is not a prefix"
    elif slash:
        problem = "a host has no path"
    elif port:
        problem = "its port has a key of its own"
    else:
        problem = "it is not a name or an address"
    return problem, keys if clear else None


def name_problem(host: str) -> tuple[str, str | None] | None:
    """Return why a host without a port is invalid, None if it is a name or an address."""
    if parse_host(host) is not None:
        return None
    if set(host) & _NOT_IN_A_NAME:
        return "it is not a name or an address", None
    if _NUMBERS.fullmatch(host):
        return "an IPv4 address has four numbers from 0 to 255", None
    if ".." in host or host[0] == "." or any(len(part) > 63 for part in host.split(".")):
        return "a part of a name has 1 to 63 characters", None
    return None


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

"""Finds the targets that are on a link of this machine, so that ARP reaches them (Linux)."""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import socket
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pdsno_cli.model.targets import AddressRange, AddressSet

_UP, _NOARP, _LOOPBACK = 0x1, 0x80, 0x8  # IFF_*, netdevice(7)
_ROUTE_UP = 0x1  # RTF_UP
_ETHERNET = 1  # ARPHRD_ETHER
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One IPv4 route of the main table: ``first`` to ``last`` as integers, both included."""

    interface: str
    first: int
    last: int
    on_link: bool


def parse_routes(text: str) -> tuple[Route, ...]:
    """Return the routes of ``/proc/net/route`` (proc_net(5)), most specific first."""
    routes = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or not int(fields[3], 16) & _ROUTE_UP:
            continue
        destination, gateway, mask = (
            int.from_bytes(struct.pack("=I", int(fields[i], 16)), "big") for i in (1, 2, 7)
        )
        last = destination | (~mask & 0xFFFFFFFF)
        routes.append(
            Route(interface=fields[0], first=destination, last=last, on_link=gateway == 0)
        )
    return tuple(sorted(routes, key=lambda route: (route.last - route.first, not route.on_link)))


def assign(targets: Iterable[str], routes: Sequence[Route]) -> dict[str, list[str]]:
    """Return, by interface, the targets that the best route reaches without a gateway."""
    found: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        number = int(ipaddress.IPv4Address(target))
        if number >> 24 == 127:
            continue
        best = next((r for r in routes if r.first <= number <= r.last), None)
        if best is not None and best.on_link:
            found[best.interface].append(target)
    return dict(found)


def on_link(targets: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Return, by interface that uses ARP, the targets on its link with the source address for each.

    Empty without any, and on systems without ``/proc/net/route``. The machine's own
    addresses are left out: no host answers for them on the wire.
    """
    try:
        routes = parse_routes(Path("/proc/net/route").read_text(encoding="utf-8"))
    except OSError:
        return {}
    if isinstance(targets, AddressSet):  # possibly a million: check only these
        near = AddressSet(AddressRange(r.first, r.last) for r in routes if r.on_link)
        targets = targets.within(near)
    found = {}
    for interface, addresses in assign(targets, routes).items():
        if _uses_arp(interface):
            sources = ((target, _source(target)) for target in addresses)
            others = {t: s for t, s in sources if s is not None and s != t}
            if others:
                found[interface] = others
    return found


def hardware_address(interface: str) -> bytes:
    """Return the MAC of an Ethernet interface; OSError if it has none."""
    # struct ifreq: the name, then sa_family (here the kind of hardware), then the octets
    answer = _ioctl(interface, _SIOCGIFHWADDR)
    (kind,) = struct.unpack_from("=H", answer, 16)
    if kind != _ETHERNET:
        raise OSError(errno.EADDRNOTAVAIL, f"{interface} is not an Ethernet interface")
    return answer[18:24]


def _uses_arp(interface: str) -> bool:
    try:
        (flags,) = struct.unpack_from("=H", _ioctl(interface, _SIOCGIFFLAGS), 16)
        hardware_address(interface)
    except OSError:
        return False
    return bool(flags & _UP) and not flags & (_NOARP | _LOOPBACK)


def _ioctl(interface: str, request: int) -> bytes:
    # Not /sys: it may show another network namespace than the one this process is in.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, struct.pack("40s", interface.encode()[:15]))


def _source(target: str) -> str | None:
    """Return the address that the kernel would send from: the target itself if it is ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((target, 9))  # sends nothing: UDP
        except OSError:
            return None
        return str(sock.getsockname()[0])

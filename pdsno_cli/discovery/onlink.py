"""Finds the targets on a link of this machine, which ARP reaches, and what no host can have (Linux)."""

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

from pdsno_cli.discovery import onlink6
from pdsno_cli.model.targets import LOOPBACK, AddressRange, AddressSet

_UP, _NOARP, _LOOPBACK = 0x1, 0x80, 0x8  # IFF_*, netdevice(7)
_ROUTE_UP = 0x1  # RTF_UP
_ETHERNET = 1  # ARPHRD_ETHER
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927
_WHOLE = (1 << 32) - 1  # of a default route, which has no broadcast address


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One IPv4 route of the main table: ``first`` to ``last`` as integers, both included."""

    interface: str
    first: int
    last: int
    on_link: bool

    @property
    def range(self) -> AddressRange:
        """Return its addresses."""
        return AddressRange(self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The targets on the link of one interface, and the address that each part is asked from."""

    targets: AddressSet
    sources: tuple[tuple[AddressSet, str], ...]

    def source(self, number: int) -> str:
        """Return the machine's own address from which to ask the target ``number``."""
        parts = (source for part, source in self.sources if part.index_of(number) is not None)
        return next(parts, self.sources[0][1])


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


def parse_own(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the machine's own addresses, and its links' broadcast addresses, as integers.

    ``text`` is that of ``/proc/net/fib_trie``: a line with an address, then its entries.
    """
    own, broadcast, number = set(), set(), 0
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "|--":
            number = int(ipaddress.IPv4Address(words[1]))
        elif len(words) >= 3 and words[0] == "/32":
            if "LOCAL" in words:
                own.add(number)
            elif "BROADCAST" in words:
                broadcast.add(number)
    return frozenset(own), frozenset(broadcast)


def unusable(routes: Iterable[Route], broadcast: Iterable[int]) -> AddressSet:
    """Return the network and broadcast addresses of this machine's links: never any host's."""
    ends = {
        number
        for route in routes
        if route.on_link and 2 < route.last - route.first < _WHOLE
        for number in (route.first, route.last)
    }
    return AddressSet(AddressRange(n, n) for n in ends.union(broadcast))


def assign(
    targets: AddressSet, routes: Sequence[Route]
) -> dict[str, tuple[tuple[Route, AddressSet], ...]]:
    """Return, by interface, the targets that each best route reaches without a gateway."""
    found: dict[str, list[tuple[Route, AddressSet]]] = defaultdict(list)
    near = AddressSet(r.range for r in routes if r.on_link)
    rest = targets.within(near).without(AddressSet([LOOPBACK]))
    for route in routes:  # the most specific first
        if not rest:
            break
        part = rest.within(AddressSet([route.range]))
        if part:
            rest = rest.without(part)
            if route.on_link:
                found[route.interface].append((route, part))
    return {interface: tuple(parts) for interface, parts in found.items()}


def on_link(targets: Iterable[str]) -> Mapping[str, Link]:
    """Return, by interface that uses ARP, the targets on its link.

    Empty without any, and on systems without ``/proc/net/route``. The machine's own addresses are
    left out, as no host answers for them on the wire, and so are broadcast addresses.
    """
    routes, own, _ = _tables()
    wanted = targets if isinstance(targets, AddressSet) else AddressSet.of(targets)
    ours = AddressSet(AddressRange(n, n) for n in own)
    found = {}
    for interface, parts in assign(wanted.without(ours).without(never()), routes).items():
        if _uses_arp(interface):
            sources = ((part, _source(part[0])) for _, part in parts)
            usable = tuple((part, source) for part, source in sources if source is not None)
            if usable:
                found[interface] = Link(
                    targets=AddressSet(r for part, _ in usable for r in part.ranges),
                    sources=usable,
                )
    return found


def never() -> AddressSet:
    """Return the addresses on links of this machine that no host can have."""
    routes, _, broadcast = _tables()
    ends = unusable(routes, broadcast)
    return AddressSet((*ends.ranges, *onlink6.anycast().ranges))


def _tables() -> tuple[tuple[Route, ...], frozenset[int], frozenset[int]]:
    try:
        routes = parse_routes(Path("/proc/net/route").read_text(encoding="utf-8"))
        own, broadcast = parse_own(Path("/proc/net/fib_trie").read_text(encoding="utf-8"))
    except OSError:
        return (), frozenset(), frozenset()
    return routes, own, broadcast


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
    """Return the address that the kernel would send from, None if it would not send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((target, 9))  # sends nothing: UDP
        except OSError:
            return None
        return str(sock.getsockname()[0])

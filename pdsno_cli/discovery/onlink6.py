"""Finds the IPv6 links of this machine (Linux): their prefixes, and its own address on each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pdsno_cli.model.address_numbers import IPV6, address_text
from pdsno_cli.model.address_ranges import AddressRange
from pdsno_cli.model.targets import AddressSet

_GLOBAL, _SITE = 0x00, 0x40  # scopes in /proc/net/if_inet6; unique local addresses are global
_TENTATIVE, _FAILED = 0x40, 0x08  # IFA_F_TENTATIVE, IFA_F_DADFAILED (linux/if_addr.h)
_WHOLE = 127  # a prefix as long has no subnet-router anycast address (RFC 6164)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link6:
    """One prefix on the link of an interface; ``own`` is the machine's address in it, as a number."""

    interface: str
    index: int
    own: int
    prefix: AddressRange
    length: int

    @property
    def source(self) -> str:
        """The machine's address as text."""
        return address_text(self.own)


def parse_links(text: str) -> tuple[Link6, ...]:
    """Return the links in ``/proc/net/if_inet6``, one for each address that can be used.

    A line has the address, the interface's number, the prefix length, the scope and flags, all
    hexadecimal, and the name.
    """
    links = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) != 6:
            continue
        number, index, length, scope, flags = (int(field, 16) for field in fields[:5])
        usable = scope in {_GLOBAL, _SITE} and not flags & (_TENTATIVE | _FAILED)
        if not usable or not 0 < length < 128 or fields[5] == "lo":
            continue
        hosts = (1 << 128 - length) - 1
        first = IPV6 | number & ~hosts
        links.append(
            Link6(
                interface=fields[5],
                index=index,
                own=IPV6 | number,
                prefix=AddressRange(first, first | hosts),
                length=length,
            )
        )
    return tuple(links)


def links() -> tuple[Link6, ...]:
    """Return the machine's links; none on systems without ``/proc/net/if_inet6``."""
    try:
        return parse_links(Path("/proc/net/if_inet6").read_text(encoding="utf-8"))
    except OSError:
        return ()


def neighbours_among(targets: AddressSet, found: Iterable[Link6]) -> AddressSet:
    """Return the targets on links, without the machine's own addresses."""
    given = tuple(found)
    near = AddressSet(item.prefix for item in given)
    return targets.within(near).without(AddressSet(AddressRange(i.own, i.own) for i in given))


def interfaces_of(targets: Iterable[str]) -> list[str]:
    """Return the interfaces on whose links IPv6 targets are."""
    wanted = targets if isinstance(targets, AddressSet) else AddressSet.of(targets)
    found = {item.interface for item in links() if wanted.within(AddressSet((item.prefix,)))}
    return sorted(found)


def anycast() -> AddressSet:
    """Return the subnet-router anycast addresses of the machine's links: each router's, no device's."""
    return AddressSet(
        AddressRange(item.prefix.first, item.prefix.first)
        for item in links()
        if item.length < _WHOLE
    )

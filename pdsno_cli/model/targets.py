"""Target ranges: which IPv4 addresses a local controller discovers.

A range is a prefix (``10.0.0.0/24``: its network and broadcast addresses are left out, as they
are nobody's; RFC 3021 keeps both of a /31), a span (``10.0.0.1-10.0.0.9``) or one address.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """IPv4 addresses from ``first`` to ``last``, both as integers and both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def addresses(self) -> Iterator[str]:
        """Yield the addresses in dotted form, lowest first."""
        for number in range(self.first, self.last + 1):
            yield str(ipaddress.IPv4Address(number))


def parse_range(text: str) -> AddressRange:
    """Return the addresses of ``text``; ValueError, with one sentence, when it is no range."""
    try:
        if "/" in text:
            network = ipaddress.IPv4Network(text, strict=True)
            first, last = int(network.network_address), int(network.broadcast_address)
            return (
                AddressRange(first, last) if last - first < 2 else AddressRange(first + 1, last - 1)
            )
        start, dash, end = text.partition("-")
        first = int(ipaddress.IPv4Address(start.strip()))
        last = int(ipaddress.IPv4Address(end.strip())) if dash else first
    except ValueError as exc:
        raise ValueError(f"{text!r} is no address range: {exc}") from exc
    if last < first:
        raise ValueError(f"{text!r} is no address range: it ends before it starts")
    return AddressRange(first, last)


def expand(ranges: Iterable[str]) -> list[str]:
    """Return every address of ``ranges`` once, lowest first, in dotted form."""
    numbers = {n for r in map(parse_range, ranges) for n in range(r.first, r.last + 1)}
    return [str(ipaddress.IPv4Address(number)) for number in sorted(numbers)]

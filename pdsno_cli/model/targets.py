"""Target ranges: which IPv4 addresses a local controller discovers.

A range is a prefix (``10.0.0.0/24``, without its network and broadcast addresses; RFC 3021 keeps both
of a /31), a span (``10.0.0.1-10.0.0.9``) or one address. Nine characters can name 2**32 addresses,
so they are stored as ranges and expanded one at a time.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANY = 65_536  # addresses of one local controller, a /16: more take a sweep long
TOO_MANY = 1 << 20  # a /12: more than one local controller can store and probe


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


def parse_prefix(text: str) -> ipaddress.IPv4Network:
    """Return the network of a prefix; ValueError if it is invalid, or has no prefix length.

    A mask in its place is refused: 0.0.0.255 is a netmask to some and its inverse to others.
    """
    if not text.rpartition("/")[2].isdigit():
        raise ValueError(text)
    return ipaddress.IPv4Network(text, strict=True)


# A prefix without leading zeros, which ipaddress refuses.
_OCTET = r"(0|[1-9][0-9]{0,2})"
_PREFIX = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}/([12]?[0-9]|3[012])")


def parse_range(text: str) -> AddressRange:
    """Return the addresses of ``text``; ValueError, one sentence, if it is invalid."""
    plain = _PREFIX.fullmatch(text)
    if plain is not None:  # nearly all are of this form, and ipaddress takes four times as long
        *octets, length = map(int, plain.groups())
        host = (1 << 32 - length) - 1
        a, b, c, d = octets
        base = a << 24 | b << 16 | c << 8 | d
        if max(octets) < 256 and not base & host:
            return (
                AddressRange(base, base | host)
                if host < 2
                else AddressRange(base + 1, (base | host) - 1)
            )
    try:
        if "/" in text:
            network = parse_prefix(text)
            first, last = int(network.network_address), int(network.broadcast_address)
            return (
                AddressRange(first, last) if last - first < 2 else AddressRange(first + 1, last - 1)
            )
        start, dash, end = text.partition("-")
        first = int(ipaddress.IPv4Address(start.strip()))
        last = int(ipaddress.IPv4Address(end.strip())) if dash else first
    except ValueError:
        from pdsno_cli.model.target_problems import target_problem

        raise ValueError(f"{text!r} is not an address range: {target_problem(text)[0]}") from None
    if last < first:
        raise ValueError(f"{text!r} is not an address range: it ends before it starts")
    return AddressRange(first, last)


LOOPBACK = parse_range("127.0.0.0-127.255.255.255")  # 127.0.0.0/8 (RFC 1122)
_RESERVED = (
    (parse_range("0.0.0.0"), "0.0.0.0, which is not a host"),  # noqa: S104 - nothing listens
    (parse_range("224.0.0.0-239.255.255.255"), "multicast addresses (224.0.0.0/4)"),
    (parse_range("255.255.255.255"), "255.255.255.255, which is the broadcast address"),
)


def reserved_addresses(found: AddressRange) -> str | None:
    """Return which addresses of a range no device can have, in words; None if all are usable."""
    for item, words in _RESERVED:
        if found.first <= item.last and item.first <= found.last:
            return words
    return None


def parse_target(text: str) -> AddressRange:
    """Return the addresses of ``text``; ValueError, one sentence, if a device cannot have them."""
    found = parse_range(text)
    words = reserved_addresses(found)
    if words is not None:
        raise ValueError(f"{text!r} contains {words}")
    return found


class AddressSet(Sequence[str]):
    """IPv4 addresses, each once, lowest first, in dotted form; stored as ranges.

    An index and a membership test take the logarithm of the number of ranges.
    """

    __slots__ = ("_firsts", "_ranges", "_starts")

    def __init__(self, ranges: Iterable[AddressRange] = ()) -> None:
        merged: list[AddressRange] = []
        for item in sorted(ranges):
            if merged and item.first <= merged[-1].last + 1:
                merged[-1] = AddressRange(merged[-1].first, max(merged[-1].last, item.last))
            else:
                merged.append(item)
        self._ranges = tuple(merged)
        self._firsts = [item.first for item in merged]
        self._starts = [0, *accumulate(map(len, merged))]  # the index of each range's first address

    @classmethod
    def of(cls, texts: Iterable[str]) -> AddressSet:
        """Return the addresses of ranges as text; ValueError as ``parse_range``."""
        return cls(map(parse_range, texts))

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[str]:
        for item in self._ranges:
            yield from item.addresses()

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        number = index if index >= 0 else index + len(self)
        if not 0 <= number < len(self):
            raise IndexError(index)
        return _dotted(self.number(number))

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self._find(address) is not None

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """Return the index of an address; ValueError if it is not in the set."""
        found = self._find(value)
        if found is None or not start <= found < (len(self) if stop is None else stop):
            raise ValueError(f"{value!r} is not among the addresses")
        return found

    @property
    def ranges(self) -> tuple[AddressRange, ...]:
        """The addresses as disjoint ranges, lowest first."""
        return self._ranges

    def beyond(self, others: AddressSet) -> str | None:
        """Return the lowest address that ``others`` lacks, None when it has all of them."""
        for item in self._ranges:
            at = bisect_right(others._firsts, item.first) - 1
            if at < 0 or others._ranges[at].last < item.first:
                return _dotted(item.first)
            if others._ranges[at].last < item.last:
                return _dotted(others._ranges[at].last + 1)
        return None

    def within(self, others: AddressSet) -> AddressSet:
        """Return the intersection of both sets."""
        found = []
        for item in self._ranges:
            at = max(bisect_right(others._firsts, item.first) - 1, 0)
            for other in others._ranges[at:]:
                if other.first > item.last:
                    break
                if other.last >= item.first:
                    first, last = max(item.first, other.first), min(item.last, other.last)
                    found.append(AddressRange(first, last))
        return AddressSet(found)

    def without(self, others: AddressSet) -> AddressSet:
        """Return the addresses that ``others`` lacks."""
        found = []
        for item in self._ranges:
            first = item.first
            at = max(bisect_right(others._firsts, first) - 1, 0)
            for other in others._ranges[at:]:
                if other.first > item.last:
                    break
                if other.first > first:
                    found.append(AddressRange(first, other.first - 1))
                first = max(first, other.last + 1)
            if first <= item.last:
                found.append(AddressRange(first, item.last))
        return AddressSet(found)

    def number(self, index: int) -> int:
        """Return the address at ``index``, which is not negative, as an integer."""
        at = bisect_right(self._starts, index) - 1
        return self._firsts[at] + index - self._starts[at]

    def _find(self, address: str) -> int | None:
        try:
            number = int(ipaddress.IPv4Address(address))
        except ValueError:
            return None
        return self.index_of(number)

    def index_of(self, number: int) -> int | None:
        """Return the index of an address given as an integer, None if it is not in the set."""
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or self._ranges[at].last < number:
            return None
        return self._starts[at] + number - self._firsts[at]


def expand(ranges: Iterable[str]) -> list[str]:
    """Return every address of ``ranges`` once, lowest first, in dotted form; for small ranges."""
    return list(AddressSet.of(ranges))


def _dotted(number: int) -> str:
    return str(ipaddress.IPv4Address(number))

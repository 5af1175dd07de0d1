"""Target ranges: which IPv4 addresses a local controller discovers.

A range is a prefix (``10.0.0.0/24``: its network and broadcast addresses are left out, as they
are nobody's; RFC 3021 keeps both of a /31), a span (``10.0.0.1-10.0.0.9``) or one address. What
comes from outside may name four thousand million of them in nine characters, so addresses are
held as ranges and written out one at a time.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANY = 65_536  # addresses of one local controller, a /16: more than a sweep gets through soon
TOO_MANY = 1 << 20  # a /12: more than one local controller can hold and ask


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


_NOBODYS = (
    (parse_range("0.0.0.0"), "0.0.0.0, which stands for no host"),  # noqa: S104 - nothing listens
    (parse_range("224.0.0.0-239.255.255.255"), "multicast addresses (224.0.0.0/4)"),
    (parse_range("255.255.255.255"), "255.255.255.255, which is the broadcast address"),
)


def nobodys(found: AddressRange) -> str | None:
    """Return which addresses of a range no device has, in words; None where it has none such."""
    for item, words in _NOBODYS:
        if found.first <= item.last and item.first <= found.last:
            return words
    return None


def parse_target(text: str) -> AddressRange:
    """Return the addresses of ``text``; ValueError, with one sentence, when no device has them."""
    found = parse_range(text)
    words = nobodys(found)
    if words is not None:
        raise ValueError(f"{text!r} holds {words}")
    return found


class AddressSet(Sequence[str]):
    """IPv4 addresses, each once, lowest first, in dotted form; held as ranges, however many.

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
        """Return the addresses of ranges as people write them; ValueError as ``parse_range``."""
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
        place = bisect_right(self._starts, number) - 1
        return _dotted(self._firsts[place] + number - self._starts[place])

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self._find(address) is not None

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """Return the index of an address; ValueError when it is not in the set."""
        found = self._find(value)
        if found is None or not start <= found < (len(self) if stop is None else stop):
            raise ValueError(f"{value!r} is not among the addresses")
        return found

    def beyond(self, others: AddressSet) -> str | None:
        """Return the lowest address that ``others`` lacks, None when it has all of them."""
        for item in self._ranges:
            place = bisect_right(others._firsts, item.first) - 1
            if place < 0 or others._ranges[place].last < item.first:
                return _dotted(item.first)
            if others._ranges[place].last < item.last:
                return _dotted(others._ranges[place].last + 1)
        return None

    def within(self, others: AddressSet) -> AddressSet:
        """Return the addresses that both have."""
        found = []
        for item in self._ranges:
            place = max(bisect_right(others._firsts, item.first) - 1, 0)
            for other in others._ranges[place:]:
                if other.first > item.last:
                    break
                if other.last >= item.first:
                    first, last = max(item.first, other.first), min(item.last, other.last)
                    found.append(AddressRange(first, last))
        return AddressSet(found)

    def _find(self, address: str) -> int | None:
        try:
            number = int(ipaddress.IPv4Address(address))
        except ValueError:
            return None
        place = bisect_right(self._firsts, number) - 1
        if place < 0 or self._ranges[place].last < number:
            return None
        return self._starts[place] + number - self._firsts[place]


def expand(ranges: Iterable[str]) -> list[str]:
    """Return every address of ``ranges`` once, lowest first, in dotted form: for few of them."""
    return list(AddressSet.of(ranges))


def _dotted(number: int) -> str:
    return str(ipaddress.IPv4Address(number))

"""Ranges of addresses, and what sorted lists of disjoint ones have in common; pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.address_numbers import IPV6, address_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LINK_BITS = 64  # of an interface identifier (RFC 4291 section 2.5.1)
_WIDE = 1 << 32  # addresses of an IPv6 range from which on nobody asks each


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """Addresses of one family from ``first`` to ``last``, as ``address_numbers``, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """The number of addresses, which may exceed what ``len`` can return."""
        return self.last - self.first + 1

    @property
    def wide(self) -> bool:
        """True for an IPv6 range of which not every address can be asked, as the /64 of a link."""
        return self.first >= IPV6 and self.last - self.first >= _WIDE

    def addresses(self) -> Iterator[str]:
        """Yield the addresses in canonical form, lowest first."""
        for number in range(self.first, self.last + 1):
            yield address_text(number)

    def links(self) -> Iterator[str]:
        """Yield the /64 prefixes that a range of IPv6 addresses touches."""
        for number in range(self.first >> _LINK_BITS, (self.last >> _LINK_BITS) + 1):
            yield f"{address_text(number << _LINK_BITS)}/{128 - _LINK_BITS}"


def union(ranges: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Return ranges as disjoint ones, lowest first; those that touch become one."""
    merged: list[AddressRange] = []
    for item in sorted(ranges):
        if merged and item.first <= merged[-1].last + 1:
            merged[-1] = AddressRange(merged[-1].first, max(merged[-1].last, item.last))
        else:
            merged.append(item)
    return tuple(merged)


def intersection(
    ranges: Sequence[AddressRange], others: Sequence[AddressRange]
) -> list[AddressRange]:
    """Return what two lists of disjoint ranges, each in order, have in common."""
    found = []
    firsts = [item.first for item in others]
    for item in ranges:
        at = max(bisect_right(firsts, item.first) - 1, 0)
        for number in range(at, len(others)):
            other = others[number]
            if other.first > item.last:
                break
            if other.last >= item.first:
                first, last = max(item.first, other.first), min(item.last, other.last)
                found.append(AddressRange(first, last))
    return found


def difference(
    ranges: Sequence[AddressRange], others: Sequence[AddressRange]
) -> list[AddressRange]:
    """Return what of disjoint ranges, in order, is in none of the others, which are so, too."""
    found = []
    firsts = [item.first for item in others]
    for item in ranges:
        first = item.first
        at = max(bisect_right(firsts, first) - 1, 0)
        for number in range(at, len(others)):
            other = others[number]
            if other.first > item.last:
                break
            if other.first > first:
                found.append(AddressRange(first, other.first - 1))
            first = max(first, other.last + 1)
        if first <= item.last:
            found.append(AddressRange(first, item.last))
    return found


def holds(ranges: Sequence[AddressRange], firsts: Sequence[int], number: int) -> int | None:
    """Return the place of the disjoint range that has an address, None if none has it.

    ``firsts`` are those of the ranges.
    """
    at = bisect_right(firsts, number) - 1
    return None if at < 0 or ranges[at].last < number else at

"""Target ranges: which addresses a local controller discovers.

A range is a prefix, a span (``10.0.0.1-10.0.0.9``) or one address. A prefix of IPv4 is without its
network and broadcast addresses (RFC 3021 keeps both of a /31), one of IPv6 without its subnet-router
anycast address (RFC 4291 section 2.6.1; RFC 6164 keeps both of a /127). Nine characters can name 2**32
addresses, so they are stored as ranges and expanded one at a time. The /64 of an IPv6 link stands for
the neighbours on that link, whichever they are: its addresses are never enumerated.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, overload

from pdsno_cli.model.address_numbers import IPV6, address_number, address_text
from pdsno_cli.model.address_ranges import (
    AddressRange,
    difference,
    holds,
    intersection,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ("AddressRange", "AddressSet", "expand", "parse_prefix", "parse_range", "parse_target")

MANY = 65_536  # addresses of one local controller, a /16: more take a sweep long
TOO_MANY = 1 << 20  # a /12, or a /108: more than one local controller can store and probe
_LINK = 1 << 64  # addresses of an IPv6 link


def parse_prefix(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return the network of a prefix; ValueError if it is invalid, or has no prefix length.

    A mask in its place is refused: 0.0.0.255 is a netmask to some and its inverse to others.
    """
    if not text.rpartition("/")[2].isdigit() or "%" in text:
        raise ValueError(text)
    if ":" in text:
        return ipaddress.IPv6Network(text, strict=True)
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
            return usable_of(parse_prefix(text))
        start, dash, end = text.partition("-")
        first = address_number(start.strip())
        last = address_number(end.strip()) if dash else first
    except ValueError:
        from pdsno_cli.model.target_problems import target_problem

        raise ValueError(f"{text!r} is not an address range: {target_problem(text)[0]}") from None
    if (first < IPV6) != (last < IPV6):
        raise ValueError(
            f"{text!r} is not an address range: a span has addresses of one family, IPv4 or IPv6"
        )
    if last < first:
        raise ValueError(f"{text!r} is not an address range: it ends before it starts")
    return AddressRange(first, last)


def whole_range(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> AddressRange:
    """Return all addresses of a prefix."""
    family = IPV6 if network.version == 6 else 0
    return AddressRange(
        family | int(network.network_address), family | int(network.broadcast_address)
    )


def usable_of(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> AddressRange:
    """Return the addresses of a prefix that hosts may have."""
    found = whole_range(network)
    if found.size <= 2:
        return found
    return AddressRange(found.first + 1, found.last - (network.version == 4))


LOOPBACK = parse_range("127.0.0.0-127.255.255.255")  # 127.0.0.0/8 (RFC 1122)
_RESERVED = (
    (parse_range("0.0.0.0"), "0.0.0.0, which is not a host"),  # noqa: S104 - nothing listens
    (parse_range("224.0.0.0-239.255.255.255"), "multicast addresses (224.0.0.0/4)"),
    (parse_range("255.255.255.255"), "255.255.255.255, which is the broadcast address"),
    (parse_range("::"), "::, which is not a host"),
    (parse_range("::ffff:0:0-::ffff:ffff:ffff"), "IPv4-mapped addresses: write them as IPv4"),
    (
        parse_range("fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        "link-local addresses (fe80::/10), which every link has: write the /64 of the link",
    ),
    (
        parse_range("ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        "multicast addresses (ff00::/8)",
    ),
)
_MOST = "write a prefix of /108 or longer, or the /64 of a link"


def reserved_addresses(found: AddressRange) -> str | None:
    """Return which addresses of a range no device can have, in words; None if all are usable."""
    for item, words in _RESERVED:
        if found.first <= item.last and item.first <= found.last:
            return words
    return None


def parse_target(text: str) -> AddressRange:
    """Return the addresses of ``text``; ValueError, one sentence, if a device cannot have them.

    Or if they are of IPv6 and too many to ask each, and not those of one link.
    """
    found = _usable_range(text)
    if found.first >= IPV6 and found.size > TOO_MANY and not is_link(found):
        raise ValueError(f"{text!r} contains too many addresses to ask each: {_MOST}")
    return found


def parse_excluded(text: str) -> AddressRange:
    """Return the addresses of ``text``, however many they are; of a prefix all, its ends too.

    Raises ValueError as ``parse_target``.
    """
    found = _usable_range(text)
    return whole_range(parse_prefix(text)) if "/" in text else found


def _usable_range(text: str) -> AddressRange:
    found = parse_range(text)
    words = reserved_addresses(found)
    if words is not None:
        raise ValueError(f"{text!r} contains {words}")
    return found


def is_link(found: AddressRange) -> bool:
    """Return True for the range of an IPv6 /64, which is that of a link."""
    return found.first >= IPV6 and found.size == _LINK - 1 and (found.first - 1) % _LINK == 0


class AddressSet(Sequence[str]):
    """Addresses, each once, lowest first, in canonical form; stored as ranges.

    ``wide`` ranges, as the /64 of an IPv6 link, belong to it, but are not enumerated: ``len``,
    indices and iteration are without them. An index and a membership test take the logarithm of the
    number of ranges.
    """

    __slots__ = ("_all", "_firsts", "_ranges", "_starts", "_wide")

    def __init__(
        self, ranges: Iterable[AddressRange] = (), *, wide: Iterable[AddressRange] = ()
    ) -> None:
        given = list(ranges)
        several = [item for item in given if item.wide]
        several += wide
        self._wide = union(several)
        self._ranges = union(item for item in given if not item.wide) if several else union(given)
        self._all = union((*self._ranges, *self._wide)) if several else self._ranges
        self._firsts = [item.first for item in self._ranges]
        # The index of each range's first address.
        self._starts = [0, *accumulate(item.size for item in self._ranges)]

    @classmethod
    def of(cls, texts: Iterable[str]) -> AddressSet:
        """Return the addresses of ranges as text; ValueError as ``parse_range``."""
        return cls(map(parse_range, texts))

    @classmethod
    def excluded(cls, texts: Iterable[str]) -> AddressSet:
        """Return the addresses that ranges exclude; ValueError as ``parse_excluded``."""
        return cls(map(parse_excluded, texts))

    def __len__(self) -> int:
        return self._starts[-1]

    def __bool__(self) -> bool:
        return bool(self._all)

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
        return address_text(self.number(number))

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        try:
            number = address_number(address)
        except ValueError:
            return False
        return self.has(number)

    def has(self, number: int) -> bool:
        """Return True if an address, given as an integer, is in the set or in a wide range of it."""
        if self.index_of(number) is not None:
            return True
        return any(item.first <= number <= item.last for item in self._wide)

    def index(self, value: str, start: int = 0, stop: int | None = None) -> int:
        """Return the index of an address; ValueError if it is not in the set."""
        found = self._find(value)
        if found is None or not start <= found < (len(self) if stop is None else stop):
            raise ValueError(f"{value!r} is not among the addresses")
        return found

    @property
    def ranges(self) -> tuple[AddressRange, ...]:
        """The addresses that are enumerated, as disjoint ranges, lowest first."""
        return self._ranges

    @property
    def wide(self) -> tuple[AddressRange, ...]:
        """The ranges that are not enumerated, disjoint, lowest first; they may overlap ``ranges``."""
        return self._wide

    def beyond(self, others: AddressSet) -> str | None:
        """Return the lowest address that ``others`` lacks, None when it has all of them."""
        left = difference(self._all, others._all)
        return address_text(left[0].first) if left else None

    def within(self, others: AddressSet) -> AddressSet:
        """Return the intersection of both sets; what is in a wide range of both is in one of it."""
        return AddressSet(
            intersection(self._ranges, others._all) + intersection(self._wide, others._ranges),
            wide=intersection(self._wide, others._wide),
        )

    def without(self, others: AddressSet) -> AddressSet:
        """Return the addresses that ``others`` lacks."""
        return AddressSet(
            difference(self._ranges, others._all), wide=difference(self._wide, others._all)
        )

    def number(self, index: int) -> int:
        """Return the address at ``index``, which is not negative, as an integer."""
        at = bisect_right(self._starts, index) - 1
        return self._firsts[at] + index - self._starts[at]

    def _find(self, address: str) -> int | None:
        try:
            return self.index_of(address_number(address))
        except ValueError:
            return None

    def index_of(self, number: int) -> int | None:
        """Return the index of an address given as an integer, None if it is not in the set."""
        at = holds(self._ranges, self._firsts, number)
        return None if at is None else self._starts[at] + number - self._firsts[at]


def expand(ranges: Iterable[str]) -> list[str]:
    """Return every address of ``ranges`` once, lowest first, in canonical form; for small ranges."""
    return list(AddressSet.of(ranges))

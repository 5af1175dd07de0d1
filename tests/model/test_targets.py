from __future__ import annotations

import ipaddress
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.address_numbers import IPV6, address_number, address_text
from pdsno_cli.model.targets import (
    AddressRange,
    AddressSet,
    expand,
    is_link,
    parse_excluded,
    parse_range,
    parse_target,
)

EVERYTHING = AddressSet.of(["0.0.0.0/0"])
RANGES = st.lists(
    st.tuples(st.sampled_from((0, IPV6)), st.integers(0, 60), st.integers(0, 20)).map(
        lambda item: AddressRange(item[0] + item[1], item[0] + item[1] + item[2])
    ),
    max_size=6,
)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def members(ranges) -> set[str]:
    return {address for item in ranges for address in item.addresses()}


@given(RANGES, RANGES)
def test_address_set_is_the_set_of_its_addresses(one, other):
    ours, theirs = AddressSet(one), AddressSet(other)
    listed = list(ours)
    assert set(listed) == members(one)
    assert len(ours) == len(listed) == len(set(listed))
    assert [ours[index] for index in range(len(ours))] == listed
    assert [ours.index(address) for address in listed] == list(range(len(ours)))
    assert set(ours.within(theirs)) == members(one) & members(other)
    missing = [address for address in listed if address not in members(other)]
    assert ours.beyond(theirs) == (missing[0] if missing else None)


@given(RANGES, st.integers(0, 90).map(lambda n: address_text(n // 2 + n % 2 * IPV6)))
def test_address_set_knows_what_is_in_it(ranges, address):
    found = AddressSet(ranges)
    assert (address in found) == (address in members(ranges))
    if address not in found:
        with pytest.raises(ValueError, match="is not among"):
            found.index(address)


def test_address_set_of_every_address_takes_little_memory():
    tracemalloc.start()
    try:
        found = AddressSet.of(["0.0.0.0/0"])
        assert len(found) == 2**32 - 2
        assert found[len(found) // 2] == "128.0.0.0"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_address_set_takes_slices_and_negative_numbers():
    found = AddressSet.of(["10.0.0.4", "10.0.0.1-10.0.0.2"])
    assert found[-1] == "10.0.0.4"
    assert found[:2] == ["10.0.0.1", "10.0.0.2"]
    assert "nowhere" not in found
    with pytest.raises(IndexError):
        found[3]


def test_expand_gives_each_address_once():
    assert expand(["10.0.0.1-10.0.0.2", "10.0.0.0/30", "10.0.0.9"]) == [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.9",
    ]


@pytest.mark.parametrize("text", ["0.0.0.0/0", "224.0.0.1", "255.255.255.255", "nowhere", "10.1/8"])
def test_parse_target_refuses_what_no_device_has(text):
    with pytest.raises(ValueError, match=r"contains|is not an address range"):
        parse_target(text)


@given(
    octets=st.lists(st.integers(0, 300), min_size=4, max_size=4),
    length=st.integers(0, 40),
    clear=st.booleans(),
)
def test_prefix_is_read_as_ipaddress_reads_it(octets, length, clear):
    text = f"{'.'.join(map(str, octets))}/{length}"
    if clear and max(octets) < 256 and length <= 32:
        text = str(ipaddress.IPv4Network(text, strict=False))
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        with pytest.raises(ValueError, match="is not an address range"):
            parse_range(text)
        return
    first, last = int(network[0]), int(network[-1])
    wide = last - first >= 2
    found = parse_range(text)
    assert (found.first, found.last) == (first + wide, last - wide)


@given(RANGES, RANGES)
def test_without_and_within_are_those_of_sets(ranges, others):
    one, two = AddressSet(ranges), AddressSet(others)
    assert set(one.without(two)) == members(ranges) - members(others)
    assert set(one.within(two)) == members(ranges) & members(others)
    assert [one.index_of(one.number(index)) for index in range(len(one))] == [*range(len(one))]


@given(ADDRESSES, ADDRESSES)
def test_numbers_are_in_one_order_ipv4_first_and_read_back(one, other):
    first, second = address_number(str(one)), address_number(str(other))
    assert (first < second) == ((one.version, int(one)) < (other.version, int(other)))
    assert address_text(first) == str(one)


@given(st.ip_addresses(v=6))
def test_ipv6_address_is_read_in_any_form_and_written_in_one(address):
    for text in (address.exploded, address.exploded.upper(), address.compressed):
        assert expand([text]) == [address.compressed]
        assert text in AddressSet.of([address.exploded])


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2001:DB8::0010-2001:db8::2f", "2001:db8::10", "2001:db8::2f"),
        ("2001:db8::/120", "2001:db8::1", "2001:db8::ff"),
        ("2001:db8::/108", "2001:db8::1", "2001:db8::f:ffff"),
        ("2001:db8::4/127", "2001:db8::4", "2001:db8::5"),
        ("2001:db8::4/128", "2001:db8::4", "2001:db8::4"),
        ("2001:db8:1::/64", "2001:db8:1::1", "2001:db8:1:0:ffff:ffff:ffff:ffff"),
    ],
)
def test_ipv6_target_is_without_the_anycast_address_of_its_routers(text, first, last):
    found = parse_target(text)
    assert (address_text(found.first), address_text(found.last)) == (first, last)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("::", "not a host"),
        ("ff02::1", "multicast"),
        ("fe80::1", "write the /64 of the link"),
        ("fe80::/64", "link-local"),
        ("::ffff:10.0.0.1", "write them as IPv4"),
        ("2001:db8::/65", "too many addresses"),
        ("2001:db8::/107", "too many addresses"),
        ("2001:db8::/48", "too many addresses"),
        ("::/0", "not a host|IPv4-mapped|link-local|multicast"),
        ("2001:db8::-2001:db8::ff:ffff", "too many addresses"),
        ("2001:db8::-2001:db8::ffff:ffff:ffff:ffff", "too many addresses"),
        ("10.0.0.1-2001:db8::1", "one family"),
        ("fe80::1%eth0", "zone"),
    ],
)
def test_parse_target_refuses_ipv6_that_cannot_be_asked(text, words):
    with pytest.raises(ValueError, match=words):
        parse_target(text)


def test_excluded_prefixes_may_be_of_any_length():
    assert parse_excluded("2001:db8::/48").size == 1 << 80


def test_excluded_prefix_is_without_none_of_its_addresses():
    targets = AddressSet.of(["10.0.1.0/24", "fd00:1::/120"])
    left = targets.without(AddressSet.excluded(["10.0.1.16/28", "fd00:1::20/124", "10.0.1.200"]))
    assert len(left) == 254 + 255 - 16 - 16 - 1
    assert not {"10.0.1.16", "10.0.1.31", "fd00:1::20", "fd00:1::2f"} & set(left)


LINK = "2001:db8:1::/64"


def test_link_is_not_enumerated_and_has_its_addresses():
    found = AddressSet.of([LINK, "2001:db8:1::7", "10.0.0.1", "2001:db8:2::/64"])
    assert list(found) == ["10.0.0.1", "2001:db8:1::7"]
    assert len(found) == 2
    assert all(map(is_link, found.wide))
    assert "2001:db8:1::abcd:1" in found
    assert "2001:0db8:0001::5" in found
    assert "2001:db8:1::" not in found
    assert "2001:db8:3::1" not in found
    assert [link for item in found.wide for link in item.links()] == [LINK, "2001:db8:2::/64"]
    assert AddressSet.of([LINK])  # although it has no address to enumerate
    assert not AddressSet()


def test_sets_with_links_are_those_of_their_addresses():
    link, some = AddressSet.of([LINK]), AddressSet.of(["2001:db8:1::5", "2001:db8:2::1"])
    assert list(some.within(link)) == list(link.within(some)) == ["2001:db8:1::5"]
    assert list(some.without(link)) == ["2001:db8:2::1"]
    left = link.without(some)
    assert list(left) == []
    assert "2001:db8:1::5" not in left
    assert "2001:db8:1::4" in left
    assert "2001:db8:1::6" in left
    assert [name for item in left.wide for name in item.links()] == [LINK, LINK]
    assert link.beyond(left) == "2001:db8:1::5"
    assert left.beyond(link) is None
    assert some.beyond(link) == "2001:db8:2::1"
    assert not link.without(AddressSet.of(["2001:db8::/32"]))
    assert link.within(link).wide == link.wide

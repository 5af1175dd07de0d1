from __future__ import annotations

import ipaddress
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.targets import AddressRange, AddressSet, expand, parse_range, parse_target

EVERYTHING = AddressSet.of(["0.0.0.0/0"])
RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
        lambda pair: AddressRange(pair[0], pair[0] + pair[1])
    ),
    max_size=6,
)


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


@given(RANGES, st.integers(0, 90).map(lambda number: f"0.0.0.{number}"))
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

"""Prefixes that are split among controllers."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.spec.prefix_split import split_prefix


@given(st.integers(0, 32), st.integers(0, 32), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_split_prefix_returns_the_first_subnets(length, into, count, address):
    network = ipaddress.ip_network((address, length), strict=False)
    try:
        prefixes = split_prefix(str(network), into, count)
    except ValueError:
        assert into < length or 2 ** (into - length) < count
        return
    expected = network.subnets(new_prefix=into)
    assert prefixes == [str(next(expected)) for _ in range(count)]


@pytest.mark.parametrize(
    ("prefix", "into", "words"),
    [
        ("10.0.0.1/24", 26, "'10.0.0.1/24' is not a valid prefix"),
        ("nowhere", 26, "'nowhere' is not a valid prefix"),
        ("10.0.0.0/24", 23, "a /23 does not fit into 10.0.0.0/24"),
        ("fd00:1::/64", 63, "a /63 does not fit into fd00:1::/64"),
        ("10.0.0.0/24", 33, "of IPv4 is at most 32, not 33"),
        ("10.0.0.0/24", 25, "10.0.0.0/24 has 2 prefixes of /25, too few for 3 controllers"),
    ],
)
def test_split_prefix_names_what_is_wrong(prefix, into, words):
    with pytest.raises(ValueError, match=words):
        split_prefix(prefix, into, 3)


def test_ipv6_prefix_is_split_into_those_of_links():
    assert split_prefix("fd00:1::/48", 64, 3) == [
        "fd00:1::/64",
        "fd00:1:0:1::/64",
        "fd00:1:0:2::/64",
    ]

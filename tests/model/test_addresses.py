"""Hosts and ports as written in files."""

from __future__ import annotations

import pytest

from pdsno_cli.model.addresses import Address, is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("broker", "broker", 1883),
        ("broker:1884", "broker", 1884),
        ("10.0.0.1:1884", "10.0.0.1", 1884),
        ("[2001:db8::1]", "2001:db8::1", 1883),
        ("[2001:db8::1]:1884", "2001:db8::1", 1884),
    ],
)
def test_address_is_parsed_and_written_back(text, host, port):
    address = parse_address(text, 1883)
    assert address == (host, port)
    assert parse_address(str(address), 1) == address


def test_address_of_ipv6_has_brackets():
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("localhost", 80)) == "localhost:80"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("broker.example.net", False),
    ],
)
def test_loopback_is_known_by_name_and_address(host, expected):
    assert is_loopback(host) is expected

"""Hosts and ports as written in files."""

from __future__ import annotations

import pytest

from pdsno_cli.model.addresses import Address, host_problem, is_loopback, parse_address


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


@pytest.mark.parametrize(
    ("host", "words", "meant"),
    [
        ("broker.example.net", None, None),
        ("2001:db8::1", None, None),
        ("[2001:db8::1]", None, None),
        ("mqtt://a", "no scheme", "host: a"),
        ("ssl://a:8883/", "no scheme", "host: a, port: 8883, tls: {}"),
        ("a:1883", "a key of its own", "host: a, port: 1883"),
        ("10.0.0.0/24", "not a prefix", None),
        ("a/b", "no path", "host: a"),
        ("a b", "not a name", None),
        ("user@a", "not a name", "host: a"),
        ("[a", "not a name", None),
        (":", "not a name", None),
    ],
)
def test_host_is_a_name_or_an_address_alone(host, words, meant):
    found = host_problem(host)
    if words is None:
        assert found is None
    else:
        assert words in found[0]
        assert found[1] == meant

"""MAC addresses that identify a device, and their normal form."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.mac import format_mac, normalise_mac


@pytest.mark.parametrize(
    "octets",
    [b"", b"\0" * 6, b"\xff" * 6, b"\x01\0\x5e\0\0\x01", b"\x02" * 5, b"\x02" * 8],
)
def test_format_mac_refuses_octets_that_identify_no_station(octets):
    assert format_mac(octets) is None


@pytest.mark.parametrize(
    ("mac", "whose"),
    [
        ("00:00:5e:00:01:0a", None),  # VRRP, CARP
        ("00:00:5e:00:02:0a", None),  # VRRP for IPv6
        ("00:00:0c:07:ac:01", None),  # HSRP
        ("00:00:0c:9f:f0:01", None),
        ("00:00:0c:9f:ff:ff", None),
        ("00:00:0c:9f:e0:01", "00:00:0c:9f:e0:01"),
        ("00:05:73:a0:00:01", None),
        ("00:07:b4:00:01:02", None),  # GLBP
        ("00:07:b4:01:01:02", "00:07:b4:01:01:02"),
        ("02:42:ac:11:00:02", None),  # Docker
        ("02:43:ac:11:00:02", "02:43:ac:11:00:02"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),  # libvirt: random, so of one device
        ("ff:ff:ff:ff:ff:ff", None),
        ("00:00:00:00:00:00", None),
        ("1234:5678:9abc::", None),  # an IPv6 address
    ],
)
def test_normalise_mac_refuses_shared_addresses(mac, whose):
    assert normalise_mac(mac) == whose


@pytest.mark.parametrize("text", ["02-AB-cd-00-00-01", "02:ab:CD:00:00:01", "02ab.cd00.0001"])
def test_normalise_mac_has_one_form(text):
    assert normalise_mac(text) == "02:ab:cd:00:00:01"


def test_normalise_mac_of_garbage_is_none():
    assert normalise_mac("zz:zz:zz:zz:zz:zz") is None

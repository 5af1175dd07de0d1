from __future__ import annotations

import pytest

from pdsno_cli.discovery.physical.ports import same_port


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gi1/0/1", "GigabitEthernet1/0/1"),
        ("gi 1/0/1", "Gi1/0/1"),
        ("Te1/1", "TenGigabitEthernet1/1"),
        ("Eth1/3", "Ethernet1/3"),
        ("XGE0/0/1", "XGE0/0/1"),
        ("7", "7"),
        ("uplink", "Uplink "),
        ("ge-0/0/1", "ge-0/0/1"),
        ("swp3", "swp3"),
        ("1/0/24", "Port 1/0/24"),
    ],
)
def test_two_names_of_one_port(one, other):
    assert same_port(one, other)
    assert same_port(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gi1/0/1", "Gi1/0/11"),
        ("Gi1/0/1", "Te1/0/1"),
        ("Gi1/0/1", "FastEthernet1/0/1"),
        ("", ""),
        ("", "7"),
        ("uplink", "downlink"),
        ("lan", "7"),
    ],
)
def test_two_ports(one, other):
    assert not same_port(one, other)
    assert not same_port(other, one)

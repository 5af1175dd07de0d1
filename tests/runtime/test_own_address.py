from __future__ import annotations

import ipaddress
import sys
import zlib
from pathlib import Path

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import StateDir

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these addresses")
CAMPUS = Path(__file__).parents[2] / "topologies" / "campus-200.yaml"


def topology(folder, *, broker="{embedded: true}", fallbacks="[mqtt, http]", regional="", more=""):
    file = folder / "t.yaml"
    file.write_text(f"""\
name: t
broker: {broker}
fallbacks: {fallbacks}
regions: {{r: {{}}}}
controllers:
{more}
  gc: {{role: global}}
  rc: {{role: regional, region: r{regional}}}
  lc: {{role: local, region: r, discovery: {{targets: [127.66.0.1]}}}}
""")
    return require(str(file))


def test_each_controller_of_a_campus_has_an_address_of_its_own_within_the_network(tmp_path):
    campus = require(str(CAMPUS))
    found = own_addresses(campus, StateDir(tmp_path))
    assert found.keys() == campus.controllers.keys()
    assert len(set(found.values())) == 205
    network = ipaddress.ip_network("127.192.0.0/11")
    assert all(ipaddress.ip_address(address) in network for address in found.values())


def test_controllers_whose_hashes_meet_have_different_addresses(tmp_path, monkeypatch):
    last = (1 << 21) - 1
    monkeypatch.setattr(zlib, "crc32", lambda _: last)
    found = own_addresses(topology(tmp_path), StateDir(tmp_path))
    assert found == {"gc": "127.223.255.255", "rc": "127.192.0.0", "lc": "127.192.0.1"}


def test_addresses_stay_the_same_when_a_controller_is_added_before_others(tmp_path):
    before = own_addresses(topology(tmp_path), StateDir(tmp_path))
    more = "  lc0: {role: local, region: r, discovery: {targets: [127.66.0.2]}}"
    after = own_addresses(topology(tmp_path, more=more), StateDir(tmp_path))
    assert after.items() > before.items()


def test_addresses_are_those_of_the_state_directory_whatever_it_is_called_by(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")
    here, link, other = (
        own_addresses(topology(tmp_path), StateDir(tmp_path / name))
        for name in ("state", "link", "other")
    )
    assert here == link
    assert not set(here.values()) & set(other.values())


@pytest.mark.parametrize(
    "broker",
    ["{host: 127.0.0.1}", "{host: localhost}", "{hosts: ['127.0.0.1:1884', '127.1.2.3:1885']}"],
)
def test_controllers_of_a_broker_on_this_machine_have_addresses(tmp_path, broker):
    assert len(own_addresses(topology(tmp_path, broker=broker), StateDir(tmp_path))) == 3


# Over an IPv6 address, a controller would be reached around its own.
@pytest.mark.parametrize(
    "broker",
    [
        "{host: broker.example.net}",
        "{host: 192.0.2.1}",
        "{host: '::1'}",
        "{hosts: ['127.0.0.1:1884', 'broker.example.net:1883']}",
    ],
)
def test_controllers_of_a_broker_elsewhere_have_none(tmp_path, broker):
    elsewhere = topology(tmp_path, broker=broker, fallbacks="[mqtt]")
    assert own_addresses(elsewhere, StateDir(tmp_path)) == {}


def test_controller_that_declares_its_address_on_loopback_has_no_other(tmp_path):
    found = own_addresses(
        topology(tmp_path, regional=", address: '127.0.0.1:8080'"), StateDir(tmp_path)
    )
    assert found.keys() == {"gc", "lc"}


@pytest.mark.parametrize("address", ["192.0.2.7:8080", "localhost:8080", "[::1]:8080"])
def test_none_has_one_where_a_declared_address_is_not_on_ipv4_loopback(tmp_path, address):
    declared = topology(tmp_path, regional=f", address: '{address}'")
    assert own_addresses(declared, StateDir(tmp_path)) == {}


def test_other_systems_have_none(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert own_addresses(topology(tmp_path), StateDir(tmp_path)) == {}

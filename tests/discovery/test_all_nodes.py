"""The neighbours on an IPv6 link, found by the all-nodes echo, in namespaces of the test's own."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery import neighbours6
from pdsno_cli.discovery.near6 import NearIpv6
from pdsno_cli.discovery.onlink6 import parse_links
from pdsno_cli.discovery.pace import Pace
from pdsno_cli.model.address_numbers import address_text
from pdsno_cli.model.targets import AddressSet
from tests.discovery.test_ipv6 import DATAGRAM, HOSTS, NEAR, TWENTY, code, mac_of

LINK = "fd00:1::/64"
OWN = "fd00:1::1"


def addresses(result):
    observations, _, warnings = result
    assert not warnings
    return [a for found, *_ in observations for a in found]


@pytest.mark.parametrize("allow", ["", DATAGRAM])
def test_neighbours_on_a_link_are_found_and_asked_by_every_protocol(in_namespace, allow):
    without = "net_raw" if allow else ""
    result = in_namespace(code([LINK]), near=NEAR + allow, hosts=HOSTS, without=without)
    assert addresses(result) == [OWN, *TWENTY]
    observations, probes, _ = result
    assert probes["icmp"] == [21, 21, None]
    assert probes["snmp"] == [21, 20, None]
    assert [item[1] for item in observations[1:]] == [mac_of(address) for address in TWENTY]
    assert observations[1][2:] == [["icmp", "snmp"], "far-16"]


def test_kernel_of_a_neighbour_answers_for_all_its_addresses(in_namespace):
    peer = """
ip link set far0 address 02:00:00:00:00:02
for n in 7 8; do ip -6 addr add fd00:1::$n/64 dev far0 nodad; done
"""
    found = addresses(in_namespace(code([LINK], ["icmp"]), near=NEAR, peer=peer))
    assert found[0] == OWN
    assert len(found) == 2  # it answers from one of them, as it chooses
    assert found[1] in {"fd00:1::7", "fd00:1::8"}


def test_neighbours_are_found_although_answers_are_lost_and_late(in_namespace):
    hosts = HOSTS | {"loss": 0.05, "delay": 0.05, "jitter": 0.02}
    assert addresses(in_namespace(code([LINK], ["icmp"]), near=NEAR, hosts=hosts)) == [OWN, *TWENTY]


def test_neighbour_that_answers_from_its_link_local_address_is_found(in_namespace):
    hosts = HOSTS | {"link_local": TWENTY[:3]}
    assert addresses(in_namespace(code([LINK], ["icmp"]), near=NEAR, hosts=hosts)) == [OWN, *TWENTY]


def test_neighbour_that_answers_alone_what_is_sent_to_it_is_kept_once_it_is_known(in_namespace):
    hosts = HOSTS | {"deaf": TWENTY[:2]}
    assert addresses(in_namespace(code([LINK]), near=NEAR, hosts=hosts)) == [OWN, *TWENTY[2:]]
    for known in ("None", "{}"):  # a thorough cycle, and another
        settings = f"pace=Pace(devices=frozenset(['fd00:1::10', 'fd00:2::1']), known={known})"
        result = in_namespace(code([LINK], settings=settings), near=NEAR, hosts=HOSTS | hosts)
        assert addresses(result) == [OWN, TWENTY[0], *TWENTY[2:]]


def test_neighbour_that_the_kernel_knows_is_asked(in_namespace):
    hosts = HOSTS | {"deaf": TWENTY[:2]}
    near = NEAR + f"; ip -6 neigh add fd00:1::10 lladdr {mac_of('fd00:1::10')} dev near0"
    assert addresses(in_namespace(code([LINK]), near=near, hosts=hosts)) == [
        OWN,
        TWENTY[0],
        *TWENTY[2:],
    ]


def test_excluded_neighbours_are_not_asked_and_addresses_beside_the_link_are(in_namespace):
    text = code(
        "AddressSet.of(['fd00:1::/64', 'fd00:1::10']).without(AddressSet.of(['fd00:1::14-fd00:1::ff']))"
    )
    text = "from pdsno_cli.model.targets import AddressSet\n" + text
    result = in_namespace(text, near=NEAR, hosts=HOSTS | {"deaf": TWENTY[:1]})
    assert addresses(result) == [OWN, *TWENTY[:4]]


def test_link_that_this_machine_does_not_have_is_a_warning_and_the_rest_is_asked(in_namespace):
    observations, probes, warnings = in_namespace(
        code(["fd00:7::/64", LINK, "fd00:1::10"]), near=NEAR, hosts=HOSTS
    )
    assert probes["icmp"] == [21, 21, None]
    assert len(observations) == 21
    (warning,) = warnings
    assert warning == (
        "no link of this machine has fd00:7::/64: its neighbours cannot be asked from here; "
        "write its addresses, or a prefix of /108 or longer"
    )


def test_neighbours_are_not_looked_for_without_icmp(in_namespace):
    settings = "pace=Pace(devices=frozenset(['fd00:1::10']))"
    observations, probes, warnings = in_namespace(
        code([LINK], ["snmp"], settings), near=NEAR, hosts=HOSTS
    )
    assert [item[0] for item in observations] == [["fd00:1::10"]]
    assert probes == {"snmp": [1, 1, None]}
    assert warnings == ["only icmp finds the neighbours on fd00:1::/64: add it to the protocols"]


def test_privilege_that_the_echo_lacks_is_a_warning(in_namespace):
    _, probes, warnings = in_namespace(code([LINK]), near=NEAR, hosts=HOSTS, without="net_raw")
    assert probes["icmp"] == [0, 0, None]
    (warning,) = warnings
    assert warning.startswith("no neighbour can be asked by IPv6: needs CAP_NET_RAW")
    assert "net.ipv4.ping_group_range" in warning


def test_cancelled_sweep_does_not_wait_for_answers():
    cancel = threading.Event()
    cancel.set()
    near = NearIpv6(AddressSet.of([LINK]), Pace())
    assert not near.expand(AddressSet.of([LINK]), cancel)


def test_links_are_those_with_an_address_that_can_be_used():
    text = """\
fe80000000000000001122fffe334455 02 40 20 80     eth0
20010db8000000010000000000000007 02 40 00 80     eth0
fd000000000000020000000000000009 03 78 00 80     eth1
20010db8000000030000000000000007 02 40 00 c8     eth0
20010db8000000040000000000000007 02 80 00 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""
    assert [
        (link.interface, link.index, link.source, address_text(link.prefix.last), link.length)
        for link in parse_links(text)
    ] == [
        ("eth0", 2, "2001:db8:0:1::7", "2001:db8:0:1:ffff:ffff:ffff:ffff", 64),
        ("eth1", 3, "fd00:0:0:2::9", "fd00:0:0:2::ff", 120),
    ]


CROWD = """
import json
from pdsno_cli.discovery import neighbours6
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.spec.topology import Snmp
neighbours6.limit = lambda: 174
result = sweep({targets}, ["icmp", "snmp"], Snmp(timeout=0.3, retries=1))
print(json.dumps([
    [[list(o.addresses), o.mac, o.sys_name] for o in result.observations],
    list(result.warnings),
    len(neighbours6.resolved()),
]))
"""


@pytest.mark.parametrize("targets", [LINK, "fd00:1::/119"])
def test_more_neighbours_than_the_kernel_has_room_for_are_found_with_their_macs(
    in_namespace, targets
):
    hosts = {"first": "fd00:1::10", "count": 300, "delay": 0.05}
    observations, (warning,), left = in_namespace(
        CROWD.format(targets=[targets]), near=NEAR, hosts=hosts
    )
    expected = [f"fd00:1::{n:x}" for n in range(16, 316)]
    assert [item[0] for item in observations] == [[OWN], *([address] for address in expected)]
    assert all(mac is not None for _, mac, _ in observations[1:])
    assert all(name is not None for _, _, name in observations[1:])
    assert left < 300  # entries were deleted
    assert warning == (
        "301 hosts on IPv6 links do not fit into the kernel's neighbour table of 174: cycles wait until it "
        "has room (grant CAP_NET_ADMIN, or sudo sysctl net.ipv6.neigh.default.gc_thresh3=850)"
    )


def test_entries_of_the_table_are_deleted_and_others_kept(in_namespace):
    text = """
import json, threading
from pdsno_cli.discovery import icmp, neighbours6
icmp.sweep(["fd00:1::10", "fd00:1::11"], threading.Event())
before = neighbours6.resolved()
neighbours6.forget(item for item in before if item.address == "fd00:1::10")
print(json.dumps([sorted(item.address for item in found) for found in (before, neighbours6.resolved())]))
"""
    before, after = in_namespace(text, near=NEAR, hosts=HOSTS)
    assert before == ["fd00:1::10", "fd00:1::11"]
    assert after == ["fd00:1::11"]


def test_entries_stay_without_privilege(in_namespace):
    text = """
import json, threading
from pdsno_cli.discovery import icmp, neighbours6
icmp.sweep(["fd00:1::10"], threading.Event())
neighbours6.forget(neighbours6.resolved())
print(json.dumps([item.address for item in neighbours6.resolved()]))
"""
    assert in_namespace(text, near=NEAR, hosts=HOSTS, without="net_admin") == ["fd00:1::10"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_neighbours_or_none(data):
    list(neighbours6.parse(data))
    list(neighbours6.parse(len(data).to_bytes(4, "little") + b"\x1c\0" + bytes(10) + data))

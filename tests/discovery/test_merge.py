"""Answers of several protocols become devices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.discovery.merge import merge
from tests.discovery.results import info, results

MAC = "02:00:00:00:00:01"
OTHER = "02:00:00:00:00:02"


def test_merge_joins_protocols_of_one_address():
    (seen,) = merge(
        results(
            arp={"10.0.0.1": MAC},
            icmp=frozenset({"10.0.0.1"}),
            snmp={"10.0.0.1": info(sys_name="sw", uptime=3.5)},
        )
    )
    assert seen.protocols == ("arp", "icmp", "snmp")
    assert (seen.mac, seen.mac_source, seen.sys_name, seen.uptime) == (MAC, "arp", "sw", 3.5)


def test_merge_joins_addresses_of_one_mac_in_numerical_order():
    (seen,) = merge(results(arp={"10.0.0.10": MAC, "10.0.0.9": MAC.upper()}))
    assert seen.addresses == ("10.0.0.9", "10.0.0.10")


def test_merge_joins_a_mac_from_arp_with_the_same_from_snmp():
    (seen,) = merge(results(arp={"10.0.0.2": MAC}, snmp={"10.0.1.2": info(mac=MAC)}))
    assert seen.addresses == ("10.0.0.2", "10.0.1.2")
    assert seen.mac_source == "arp"


def test_merge_believes_arp_before_snmp():
    (seen,) = merge(results(arp={"10.0.0.1": MAC}, snmp={"10.0.0.1": info(mac=OTHER)}))
    assert seen.mac == MAC


def test_merge_keeps_addresses_without_mac_apart():
    seen = merge(results(icmp=frozenset({"10.0.0.10", "10.0.0.9"})))
    assert [item.addresses for item in seen] == [("10.0.0.9",), ("10.0.0.10",)]


def test_merge_separates_agents_with_different_names_and_the_same_mac():
    seen = merge(
        results(
            snmp={
                "10.0.0.1": info(sys_name="one", mac=MAC),
                "10.0.0.2": info(sys_name="two", mac=MAC),
                "10.0.0.3": info(sys_name="two", mac=OTHER),
                "10.0.0.4": info(sys_name="two", mac=OTHER),
                "10.0.0.5": info(mac=OTHER),
            }
        )
    )
    assert [(item.addresses, item.sys_name, item.mac) for item in seen] == [
        (("10.0.0.1",), "one", None),
        (("10.0.0.2",), "two", None),
        (("10.0.0.3", "10.0.0.4", "10.0.0.5"), "two", OTHER),
    ]


def test_merge_believes_agents_before_a_router_that_answers_for_them():
    seen = merge(
        results(
            arp={"10.0.0.1": MAC, "10.0.0.2": MAC, "10.0.0.3": MAC},
            snmp={
                "10.0.0.1": info(sys_name="router", mac=MAC),
                "10.0.0.2": info(sys_name="behind", mac=OTHER),
            },
        )
    )
    assert [(item.addresses, item.mac, item.mac_source) for item in seen] == [
        (("10.0.0.1",), None, None),
        (("10.0.0.2",), OTHER, "snmp"),
        (("10.0.0.3",), None, None),
    ]


addresses = st.integers(1, 20).map(lambda n: f"10.0.0.{n}")
macs = st.integers(1, 5).map(lambda n: f"02:00:00:00:00:{n:02x}")


@given(
    st.dictionaries(addresses, macs),
    st.frozensets(addresses),
    st.dictionaries(addresses, st.builds(info, mac=st.none() | macs)),
)
def test_merge_puts_every_address_in_exactly_one_device(arp, icmp, snmp):
    seen = merge(results(arp=arp, icmp=icmp, snmp=snmp))
    placed = [address for item in seen for address in item.addresses]
    assert sorted(placed) == sorted({*arp, *icmp, *snmp})
    known = [item.mac for item in seen if item.mac]
    assert len(known) == len(set(known))

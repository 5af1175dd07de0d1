"""The links of a physical map, each with its evidence."""

from __future__ import annotations

from pdsno_cli.client.find_device import find_node
from pdsno_cli.discovery.physical.links import physical_map
from pdsno_cli.discovery.physical.places import places_of_mac, places_of_node, why_unknown
from tests.discovery.physical.network import found, lldp, mac


def links(*devices):
    return [
        (item.node.name, item.port, item.other.name, item.other_port, *item.evidence)
        for item in physical_map(devices).links
    ]


def test_a_link_that_both_ends_hear_is_one_link():
    assert links(
        found(1, lldp("Gi1/0/1", mac(2), "GigabitEthernet0/24")),
        found(2, lldp("Gi0/24", mac(1), "GigabitEthernet1/0/1")),
    ) == [("d1", "Gi1/0/1", "d2", "Gi0/24", "LLDP at both ends")]


def test_a_link_that_one_end_hears_says_so():
    assert links(found(1, lldp("p1", mac(2), "p9")), found(2)) == [
        ("d1", "p1", "d2", "p9", "LLDP at d1 only")
    ]


def test_parallel_links_are_told_apart_by_their_ports():
    assert links(
        found(1, lldp("p1", mac(2), "q1"), lldp("p2", mac(2), "q2")),
        found(2, lldp("q2", mac(1), "p2"), lldp("q1", mac(1), "p1")),
    ) == [
        ("d1", "p1", "d2", "q1", "LLDP at both ends"),
        ("d1", "p2", "d2", "q2", "LLDP at both ends"),
    ]


def test_ports_that_no_name_joins_are_the_two_ends_of_the_only_link():
    assert links(found(1, lldp("p1", mac(2), "eth")), found(2, lldp("q1", mac(1), "7"))) == [
        ("d1", "p1", "d2", "q1", "LLDP at both ends")
    ]


def test_a_port_that_is_named_by_its_mac_gets_its_name():
    assert links(
        found(1, lldp("p1", mac(2), mac(99))), found(2, interfaces=[("uplink", mac(99))])
    ) == [("d1", "p1", "d2", "uplink", "LLDP at d1 only")]


def test_a_description_names_the_port_that_the_identifier_does_not():
    # A Linux host has the MAC of its port as identifier, Junos a number.
    assert links(
        found(1, lldp("p1", mac(2), mac(99), port_description="eth0")),
        found(2),
    ) == [("d1", "p1", "d2", "eth0", "LLDP at d1 only")]
    switch = found(2, interfaces=[("ge-0/0/1", mac(98)), ("ge-0/0/2", mac(97))])
    for identifier, description, port in (
        ("526", "ge-0/0/1", "ge-0/0/1"),
        ("526", "to the core", "526"),
        ("ge-0/0/2", "ge-0/0/1", "ge-0/0/2"),
        (mac(97), "ge-0/0/1", "ge-0/0/2"),
    ):
        heard = lldp("p1", mac(2), identifier, port_description=description)
        assert links(found(1, heard), switch) == [("d1", "p1", "d2", port, "LLDP at d1 only")]


def test_parallel_links_are_joined_by_descriptions_where_identifiers_are_numbers():
    numbered = [("526", "ge-0/0/1"), ("527", "ge-0/0/2")]
    assert links(
        found(1, *(lldp(f"p{n}", mac(2), i, port_description=d) for n, (i, d) in enumerate(numbered))),
        found(2, lldp("ge-0/0/2", mac(1), "8"), lldp("ge-0/0/1", mac(1), "7")),
    ) == [
        ("d1", "p0", "d2", "ge-0/0/1", "LLDP at both ends"),
        ("d1", "p1", "d2", "ge-0/0/2", "LLDP at both ends"),
    ]  # fmt: skip


def test_a_neighbour_is_found_by_address_or_by_its_only_name():
    assert links(
        found(1, lldp("p1", "strange", "x", address="10.0.0.2"), lldp("p2", "odd", "y", name="D3.lan")),
        found(2),
        found(3),
    ) == [
        ("d1", "p1", "d2", "x", "LLDP at d1 only"),
        ("d1", "p2", "d3", "y", "LLDP at d1 only"),
    ]  # fmt: skip


def test_a_neighbour_that_is_no_device_is_a_node_of_its_own_and_only_once():
    map_ = physical_map(
        [
            found(1, lldp("p1", mac(50), "x", name="phone")),
            found(2, lldp("p1", mac(50), "y", name="phone")),
        ]
    )
    (phone,) = (node for node in map_.nodes if not node.found)
    assert phone.name == "phone"
    assert [link.other is phone for link in map_.links] == [True, True]


def test_a_device_that_hears_itself_has_no_link():
    assert links(found(1, lldp("p1", mac(1), "p2"))) == []


def test_one_device_at_two_locals_is_one_node():
    map_ = physical_map(
        [found(1, local="a", engine_id="800007"), found(7, local="b", engine_id="800007")]
    )
    (node,) = map_.nodes
    assert node.addresses == ("10.0.0.1", "10.0.0.7")
    assert len(physical_map([found(1, local="a"), found(7, local="b")]).nodes) == 2
    # What one local controller tells apart stays apart.
    assert len(physical_map([found(1, serial="X"), found(7, serial="X")]).nodes) == 2


def test_an_end_station_is_at_the_port_with_the_fewest_macs():
    core = found(1, lldp("c1", mac(2), "u"), stations={"c1": (2, 3, 4), "c9": (5,)})
    access = found(2, lldp("u", mac(1), "c1"), stations={"u": (1, 5), "p3": (3,), "p4": (4, 60)})
    assert links(core, access, found(3), found(4), found(5))[1:] == [
        ("d1", "c9", "d5", "", "forwarding table of d1"),
        ("d2", "p3", "d3", "", "forwarding table of d2"),
        ("d2", "p4", "d4", "", "forwarding table of d2, which 2 MACs share"),
    ]


def test_switches_without_lldp_are_joined_by_their_tables_where_no_third_is_between():
    one = found(1, stations={"p1": (2, 3, 9)})
    middle = found(2, stations={"a": (1,), "b": (3,), "c": (9,)})
    three = found(3, stations={"p1": (1, 2, 9)})
    assert links(one, middle, three, found(9)) == [
        ("d1", "p1", "d2", "a", "forwarding tables of both"),
        ("d2", "b", "d3", "p1", "forwarding tables of both"),
        ("d2", "c", "d9", "", "forwarding table of d2"),
    ]


def test_where_a_station_is():
    core = found(1, lldp("c1", mac(2), "u"), stations={"c1": (2, 3, 77)})
    access = found(2, lldp("u", mac(1), "c1"), stations={"u": (1,), "p3": (3,), "p7": (77,)})
    map_ = physical_map([core, access, found(3)])
    (place,) = places_of_node(map_, find_node(map_, "10.0.0.3"))
    assert (place.switch.name, place.port, place.vlan, place.direct) == ("d2", "p3", 10, True)
    best, *others = places_of_mac(map_, mac(77))
    assert (best.switch.name, best.port, best.direct) == ("d2", "p7", True)
    assert [(one.switch.name, one.direct) for one in others] == [("d1", False)]
    assert [one.evidence for one in (best, *others)] == [
        ("forwarding table",),
        ("forwarding table, 2 other MACs there",),
    ]
    assert places_of_mac(map_, mac(78)) == []


def test_why_no_port_is_known():
    bare, read = physical_map([found(1)]), physical_map([found(1, stations={"p1": (2,)})])
    assert why_unknown(read, ()).endswith(
        "its MAC is unknown: ARP shows it on a link, SNMP from an agent"
    )
    assert why_unknown(read, (mac(9),)) == (
        "no neighbour names it, and no forwarding table has its MAC"
    )
    assert why_unknown(bare, (mac(9),)).endswith("set discovery.snmp.details: {forwarding: true}")

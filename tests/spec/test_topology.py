"""Queries of the frozen topology."""

from __future__ import annotations

from pdsno_cli.model.roles import Role
from pdsno_cli.spec.topology import Controller, Region, Topology


def controller(name: str, role: Role, region: str | None = None) -> Controller:
    return Controller(controller_id=name, key=name, role=role, region=region)


TOPOLOGY = Topology(
    path="/site/plant.yaml",
    name="plant",
    fallbacks=("mqtt", "bus"),
    class_fallbacks={"discovery": ("mqtt", "http")},
    regions={name: Region(name=name) for name in ("a", "b")},
    controllers={
        item.controller_id: item
        for item in (
            controller("g", Role.GLOBAL),
            controller("ra", Role.REGIONAL, "a"),
            controller("la", Role.LOCAL, "a"),
            controller("lb", Role.LOCAL, "b"),
        )
    },
)


def test_chain_of_a_class_replaces_the_topology_s():
    assert TOPOLOGY.chain("discovery") == ("mqtt", "http")
    assert TOPOLOGY.chain("events") == ("mqtt", "bus")
    assert TOPOLOGY.uses("http")
    assert TOPOLOGY.uses("bus")
    assert not TOPOLOGY.uses("udp")


def test_of_role_is_in_the_order_of_the_file():
    assert [item.controller_id for item in TOPOLOGY.of_role(Role.LOCAL)] == ["la", "lb"]
    assert [item.controller_id for item in TOPOLOGY.of_role(Role.LOCAL, "b")] == ["lb"]
    assert TOPOLOGY.of_role(Role.GLOBAL, "a") == ()


def test_folder_is_that_of_the_file():
    assert str(TOPOLOGY.folder) == "/site"

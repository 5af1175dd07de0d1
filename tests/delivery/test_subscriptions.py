from __future__ import annotations

import pytest

from pdsno_cli.delivery.subscriptions import filters, receives
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES, party
from pdsno_cli.spec.topology import Controller, Region, Topology

TOPOLOGY = Topology(
    path="t.yaml",
    name="t",
    regions={"r1": Region(name="r1")},
    controllers={
        key: Controller(controller_id=key, key=key, role=role, region=region)
        for key, role, region in (
            ("g1", Role.GLOBAL, None),
            ("rc1", Role.REGIONAL, "r1"),
            ("lc1", Role.LOCAL, "r1"),
        )
    },
)


@pytest.mark.parametrize("name", TOPOLOGY.controllers)
def test_filters_are_of_the_classes_that_the_topic_map_lets_the_role_subscribe_to(name):
    spec = TOPOLOGY.controllers[name]
    subscribed = {TOPOLOGY.topics.class_of(item).name for item in filters(TOPOLOGY, spec)}
    mapped = {
        item.name
        for item in CLASSES.values()
        if party(spec.role) in (*item.subscribers, *(item.publishers if item.watched else ()))
    }
    assert subscribed == mapped


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g1", "summary/+/+ events/+ policy/global status/rc1 ack/g1 command/g1"),
        ("rc1", "discovery/r1/+ policy/global policy/r1 status/lc1 ack/rc1 command/rc1"),
        ("lc1", "policy/global policy/r1 ack/lc1 command/lc1"),
    ],
)
def test_filters_are_those_that_concern_the_controller_each_once(name, expected):
    wanted = {f"pdsno/{item}" for item in expected.split()}
    classes = {item.split("/")[1] for item in wanted}  # the test above is about all others
    found = filters(TOPOLOGY, TOPOLOGY.controllers[name])
    assert sorted(item for item in found if item.split("/")[1] in classes) == sorted(wanted)


@pytest.mark.parametrize(
    ("receiver", "stream", "expected"),
    [
        ("rc1", "discovery/r1/lc1", True),
        ("rc1", "discovery/r2/lc1", False),
        ("g1", "discovery/r1/lc1", False),
        ("g1", "summary/r1/rc1", True),
        ("g1", "events/system", True),
        ("lc1", "events/system", False),
        ("stranger", "events/system", False),
        ("g1", "policy/global", False),
    ],
)
def test_receives_says_who_commits_a_stream(receiver, stream, expected):
    assert receives(TOPOLOGY, receiver, stream) is expected

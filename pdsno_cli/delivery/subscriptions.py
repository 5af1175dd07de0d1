"""What each controller subscribes to, at which QoS, and what it commits; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES, matches, party, publishers, subscribers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.topics import TopicClass, TopicMap
    from pdsno_cli.spec.topology import Controller, Topology


def children(topology: Topology, spec: Controller) -> tuple[Controller, ...]:
    """Return the controllers below ``spec``: whose life it watches and announces."""
    if spec.role is Role.GLOBAL:
        return topology.of_role(Role.REGIONAL)
    return topology.of_role(Role.LOCAL, spec.region) if spec.role is Role.REGIONAL else ()


def receives(topology: Topology, controller_id: str, stream: str) -> bool:
    """Return True if a controller commits the messages of a stream, and so acknowledges them."""
    spec = topology.controllers.get(controller_id)
    name, _, rest = stream.partition("/")
    item = CLASSES.get(name)
    if spec is None or item is None or item.committed_by is not spec.role:
        return False
    return spec.role is Role.GLOBAL or spec.region == rest.partition("/")[0]


def state_stream(topics: TopicMap, sender: str, role: str, region: str | None) -> str | None:
    """Return the stream by which a controller keeps its parent's inventory right, if it has one."""
    if region is None or role == Role.GLOBAL.value:
        return None
    publish = topics.discovery if role == Role.LOCAL.value else topics.summary
    return topics.stream(publish(region, sender))


def qos(topology: Topology) -> int:
    """Return the QoS to subscribe with.

    A broker delivers at the lower of the publisher's and the subscriber's QoS (MQTT 5.0 section
    3.8.4), so asking for the highest of all rules has each message come as it was published.
    """
    return max(1, *(topology.topics.rule(name).qos for name in CLASSES))


def filters(topology: Topology, spec: Controller) -> tuple[str, ...]:
    """Return the topic filters that ``spec`` subscribes to, as the topic map says."""
    found: list[str] = []
    for item in CLASSES.values():
        own = [
            one
            for pattern in item.patterns
            if _subscribes(item, pattern, spec)
            for one in _filters_of(item, pattern, topology, spec)
        ]
        # A message that two filters match may come twice.
        wide = [one for one in own if "+" in one]
        found += [one for one in own if not any(w != one and matches(w, one) for w in wide)]
    return tuple(f"{topology.topics.root}/{one}" for one in found)


def _subscribes(item: TopicClass, pattern: str, spec: Controller) -> bool:
    scope = pattern.split("/")[1]
    wanted = subscribers(item, scope)
    return party(spec.role) in (wanted + publishers(item, scope) if item.watched else wanted)


def _filters_of(
    item: TopicClass, pattern: str, topology: Topology, spec: Controller
) -> Iterator[str]:
    """Yield the filters, below the root, for the topics of a pattern that concern ``spec``."""
    names = [spec.controller_id]
    if item.owned and "{controller_id}" in pattern:
        # One filter per child: a region need not receive the heartbeats of all the others.
        names = [child.controller_id for child in children(topology, spec)]
    region = "+" if spec.role is Role.GLOBAL else spec.region or ""
    for name in names:
        yield pattern.format(region=region, lc_id="+", rc_id="+", controller_id=name)

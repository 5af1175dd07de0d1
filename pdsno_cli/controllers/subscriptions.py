"""What each controller subscribes to, and at which QoS; pure. A test holds it to the topic map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES, GLOBAL

if TYPE_CHECKING:
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


def qos(topology: Topology) -> int:
    """Return the QoS to subscribe with.

    A broker delivers at the lower of the publisher's and the subscriber's QoS (MQTT 5.0 section
    3.8.4), so asking for the highest of all rules has each message come as it was published.
    """
    return max(1, *(topology.topics.rule(name).qos for name in CLASSES))


def filters(topology: Topology, spec: Controller) -> tuple[str, ...]:
    """Return the topic filters that ``spec`` subscribes to."""
    topics, region = topology.topics, spec.region or ""
    own: tuple[str, ...]
    if spec.role is Role.GLOBAL:
        own = (topics.summary("+", "+"), topics.events("+"), topics.policy(GLOBAL))
    elif spec.role is Role.REGIONAL:
        own = (topics.discovery(region, "+"), topics.policy(GLOBAL), topics.policy(region))
    else:
        own = (topics.policy(GLOBAL), topics.policy(region))
    # One filter per child: a region need not hear the heartbeats of all the others.
    below = tuple(topics.status(child.controller_id) for child in children(topology, spec))
    addressed = (topics.ack(spec.controller_id), topics.command(spec.controller_id))
    return own + below + addressed

"""What each controller subscribes to, and at which QoS; pure, from the topic map alone."""

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


def parents(topology: Topology, spec: Controller) -> tuple[Controller, ...]:
    """Return the controllers above ``spec``: to whom it tells everything again when reborn."""
    if spec.role is Role.LOCAL:
        return topology.of_role(Role.REGIONAL, spec.region)
    return topology.of_role(Role.GLOBAL) if spec.role is Role.REGIONAL else ()


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
        own = (topics.summary("+", "+"), topics.events("+"))
    elif spec.role is Role.REGIONAL:
        own = (topics.discovery(region, "+"),)
    else:
        own = (topics.policy(GLOBAL), topics.policy(region))
    # One filter per peer: a region need not hear the heartbeats of all the others.
    peers = (*children(topology, spec), *parents(topology, spec))
    return own + tuple(topics.status(peer.controller_id) for peer in peers)

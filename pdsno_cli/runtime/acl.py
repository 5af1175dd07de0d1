"""The publish ACL of a topology: which sender may publish on which topic; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import OPERATOR
from pdsno_cli.model.topics import Party, party, publishers

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.live_topology import LiveTopology
    from pdsno_cli.spec.topology import Topology


def live_acl(live: LiveTopology) -> Callable[[str, str], bool]:
    """Return ``may_publish`` for the topology that is in force at the time of each call."""
    known = live.topology, publish_acl(live.topology)

    def may_publish(sender_id: str, topic: str) -> bool:
        nonlocal known
        if known[0] is not live.topology:
            known = live.topology, publish_acl(live.topology)
        return known[1](sender_id, topic)

    return may_publish


def publish_acl(topology: Topology) -> Callable[[str, str], bool]:
    """Return ``may_publish(sender_id, topic)`` for a topology.

    The topic map names the roles that publish on a topic. A sender that the file does not declare
    may be a new local controller. Where only controllers of one region publish (discovery reports,
    summaries, a region's policy), the topic must name the sender's region. The last level of an
    owned topic is its sender, which the codec has checked.
    """
    controllers = topology.controllers
    topics = topology.topics

    def may_publish(sender_id: str, topic: str) -> bool:
        item = topics.class_of(topic)
        if item is None:
            return False
        scope = topics.stream(topic).split("/")[1]
        allowed = publishers(item, scope)
        if sender_id == OPERATOR:
            return Party.OPERATOR in allowed
        sender = controllers.get(sender_id)
        if sender is None:
            return Party.LOCAL in allowed
        if party(sender.role) not in allowed:
            return False
        return not item.names_region or Party.GLOBAL in allowed or sender.region == scope

    return may_publish

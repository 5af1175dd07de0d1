"""Who may publish where, beyond what a topic's own name says; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import OPERATOR
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.spec.topology import Topology


def entitled(topology: Topology) -> Callable[[str, str], bool]:
    """Return the judge of (sender id, topic) for a topology.

    Policy comes from the global controller or the region's own regional one; a summary from a
    regional controller of its region; a discovery report from a local controller of its region,
    or from one that the file does not know yet. The sender of discovery, summary and status
    topics is their last level, which the codec has checked. An operator gives orders, and that
    is all.
    """
    controllers = topology.controllers
    topics = topology.topics

    def judge(sender_id: str, topic: str) -> bool:
        item = topics.class_of(topic)
        if item is None:
            return False
        if sender_id == OPERATOR:
            return item.name == "command"
        sender = controllers.get(sender_id)
        scope = topics.stream(topic).split("/")[1]
        if item.name == "policy":
            wanted = Role.GLOBAL if scope == GLOBAL else Role.REGIONAL
            return (
                sender is not None
                and sender.role is wanted
                and (wanted is Role.GLOBAL or sender.region == scope)
            )
        if item.name == "summary":
            return sender is not None and sender.role is Role.REGIONAL and sender.region == scope
        if item.name == "ack":
            return sender is not None and sender.role is not Role.LOCAL
        if item.name == "discovery" and sender is not None:
            return sender.role is Role.LOCAL and sender.region == scope
        return True

    return judge

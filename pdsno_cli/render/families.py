"""Families of topics: each pattern of the topic map with the actual topics of a topology."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import (
    CLASSES,
    EVERY_CONTROLLER,
    Party,
    TopicClass,
    TopicMap,
    TopicRule,
    publishers,
    subscribers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.spec.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One pattern of a class of topics.

    ``topics`` are full names, in the order of the file; without a topology the pattern itself.
    """

    item: TopicClass
    rule: TopicRule
    pattern: str
    publishers: tuple[Party, ...]
    subscribers: tuple[Party, ...]
    topics: tuple[str, ...]


def families(topology: Topology | None) -> tuple[Family, ...]:
    """Return every family in the order of the topic map."""
    topic_map = TopicMap() if topology is None else topology.topics
    return tuple(
        Family(
            item=item,
            rule=topic_map.rule(item.name),
            pattern=f"{topic_map.root}/{pattern}",
            publishers=publishers(item, pattern.split("/")[1]),
            subscribers=subscribers(item, pattern.split("/")[1]),
            topics=tuple(f"{topic_map.root}/{name}" for name in _names(pattern, topology)),
        )
        for item in CLASSES.values()
        for pattern in item.patterns
    )


def parties(found: Iterable[Party]) -> str:
    """Return the parties as text, for example ``all controllers, monitoring``."""
    names = list(found)
    if all(party in names for party in EVERY_CONTROLLER):
        others = [party.value for party in names if party not in EVERY_CONTROLLER]
        return ", ".join(["all controllers", *others])
    return ", ".join(party.value for party in names)


def _names(pattern: str, topology: Topology | None) -> list[str]:
    if topology is None or "{" not in pattern:
        return [pattern]
    for placeholder, role in (("{lc_id}", Role.LOCAL), ("{rc_id}", Role.REGIONAL)):
        if placeholder in pattern:
            return [
                pattern.replace("{region}", item.region or "").replace(
                    placeholder, item.controller_id
                )
                for item in topology.of_role(role)
            ]
    if "{controller_id}" in pattern:
        return [pattern.replace("{controller_id}", name) for name in topology.controllers]
    return [pattern.replace("{region}", name) for name in topology.regions]

"""Topics as a flow chart from publishers to subscribers; for mermaid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import Party
from pdsno_cli.render.families import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pdsno_cli.spec.topology import Topology

NAMED = 3  # controllers that a box names; more are counted

_ROLES = {Party.GLOBAL: Role.GLOBAL, Party.REGIONAL: Role.REGIONAL, Party.LOCAL: Role.LOCAL}
_Key = tuple[Party, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A party in one region, or in none; ``node`` is its name in the chart."""

    node: str
    label: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Topics with the same publishers and subscribers, which are names of boxes."""

    node: str
    label: str
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Chart:
    """The content of a chart."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)

    @property
    def regions(self) -> list[str]:
        """The regions that have boxes, in the order of the file."""
        return list(dict.fromkeys(box.region for box in self.boxes if box.region is not None))


def chart(
    families: Sequence[Family], topology: Topology | None, *, title: str, prefix: str
) -> Chart:
    """Return the chart of one topology, or of the topic map; ``prefix`` makes node names unique."""
    drawn = Chart(title=title)
    nodes: dict[_Key, str] = {}
    for (party, region), label in _parties(families, topology).items():
        node = nodes[party, region] = f"{prefix}{party.value[0]}{len(nodes) + 1}"
        drawn.boxes.append(Box(node=node, label=label, region=region))
    for family in families:
        for region, name in _scopes(family, topology):
            channel = Channel(
                node=f"{prefix}t{len(drawn.channels) + 1}",
                label=f"{name}<br/>QoS {family.rule.qos}"
                + (", retained" if family.rule.retain else ""),
                publishers=_among(nodes, family.publishers, region),
                subscribers=_among(nodes, family.subscribers, region),
            )
            if channel.publishers and channel.subscribers:
                drawn.channels.append(channel)
    return drawn


def _parties(families: Sequence[Family], topology: Topology | None) -> dict[_Key, str]:
    """Return the boxes' labels, by party and region."""
    present = dict.fromkeys(
        party for family in families for party in (*family.publishers, *family.subscribers)
    )
    labels: dict[_Key, str] = {}
    for party in sorted(present, key=list(Party).index):
        role = _ROLES.get(party)
        if topology is None or role is None:
            labels[party, None] = party.value
            continue
        for region in (None, *topology.regions):
            ids = [c.controller_id for c in topology.of_role(role, region) if c.region == region]
            if role is Role.GLOBAL and region is None:
                ids = [c.controller_id for c in topology.of_role(role)]
            if ids:
                labels[party, region] = (
                    "<br/>".join(ids)
                    if len(ids) <= NAMED
                    else f"{len(ids)} {party.value} controllers"
                )
    return labels


def _scopes(family: Family, topology: Topology | None) -> Iterable[tuple[str | None, str]]:
    """Return each region that a family has topics in, None for topics of no region."""
    filters = family.pattern
    for placeholder in ("{lc_id}", "{rc_id}", "{controller_id}"):
        filters = filters.replace(placeholder, "+")
    if topology is None or "{region}" not in filters:
        return [(None, filters)]
    return [(name, filters.replace("{region}", name)) for name in topology.regions]


def _among(nodes: dict[_Key, str], wanted: Iterable[Party], region: str | None) -> tuple[str, ...]:
    """Return the boxes of the parties: of one region and of none, or of all regions."""
    return tuple(
        node
        for (party, home), node in nodes.items()
        if party in wanted and (region is None or home in (None, region))
    )

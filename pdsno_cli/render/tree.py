"""Topics as a tree of levels: its lines, with large families collapsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from pdsno_cli.render.families import Family, parties

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST = 8  # most siblings that are all shown
SHOWN = 3  # shown siblings of more than ``MOST``


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its label with branches, and the delivery, if it differs from the level above."""

    label: str
    qos: str = ""
    retain: str = ""
    flow: str = ""


@dataclass(slots=True, kw_only=True)
class _Node:
    line: Line
    children: dict[str, _Node] = field(default_factory=dict)


def lines(families: Sequence[Family], *, everything: bool) -> list[Line]:
    """Return the lines of the tree, the root first."""
    root = families[0].pattern.split("/")[0]
    top = _Node(line=Line(label=root))
    for item, group in groupby(families, key=lambda family: family.item):
        members = list(group)
        flows = {_flow(family) for family in members}
        node = top.children[item.name] = _Node(
            line=Line(
                label=item.name,
                qos=f"QoS {members[0].rule.qos}",
                retain="retained" if members[0].rule.retain else "",
                flow=flows.pop() if len(flows) == 1 else "",
            )
        )
        for family in members:
            for topic in family.topics:
                _grow(node, topic.split("/")[2:], "" if node.line.flow else _flow(family))
    return [top.line, *_draw(top, "", everything=everything)]


def few(items: Sequence[str], *, everything: bool) -> tuple[Sequence[str], int]:
    """Return the items to show, and the number of those left out."""
    if everything or len(items) <= MOST:
        return items, 0
    return items[:SHOWN], len(items) - SHOWN


def _grow(node: _Node, levels: list[str], flow: str) -> None:
    for level in levels:
        node = node.children.setdefault(level, _Node(line=Line(label=level, flow=flow)))


def _draw(node: _Node, indent: str, *, everything: bool) -> Iterator[Line]:
    names, hidden = few(list(node.children), everything=everything)
    last = len(names) + bool(hidden) - 1
    for number, name in enumerate(names):
        child = node.children[name]
        branch, below = ("└── ", "    ") if number == last else ("├── ", "│   ")
        line = child.line
        label = f"{indent}{branch}{line.label}"
        yield Line(label=label, qos=line.qos, retain=line.retain, flow=line.flow)
        yield from _draw(child, indent + below, everything=everything)
    if hidden:
        yield Line(label=f"{indent}└── … {hidden} more")


def _flow(family: Family) -> str:
    return f"{parties(family.publishers)} → {parties(family.subscribers)}"

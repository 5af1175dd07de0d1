"""Topics as rows of text: for the aligned table and for markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.render.families import Family, parties
from pdsno_cli.render.tree import few

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = ("class", "topic", "QoS", "retain", "publishers", "subscribers")

Row = tuple[str, ...]


def rows(families: Sequence[Family], *, everything: bool) -> list[Row]:
    """Return one row for each topic; the pattern stands for the rest of a large family."""
    found: list[Row] = []
    for family in families:
        topics, hidden = few(family.topics, everything=everything)
        names = [*topics, f"{family.pattern} ({hidden} more)"] if hidden else topics
        found += [
            (
                family.item.name,
                name,
                str(family.rule.qos),
                "yes" if family.rule.retain else "no",
                parties(family.publishers),
                parties(family.subscribers),
            )
            for name in names
        ]
    return found


def aligned(found: Sequence[Row]) -> list[str]:
    """Return header and rows with aligned columns."""
    cells = [tuple(name.upper() for name in HEADER), *found]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]

"""Topics as rows of text: for the aligned table and for markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.columns import fitting
from pdsno_cli.render.families import Family, parties
from pdsno_cli.render.tree import few

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = ("class", "topic", "QoS", "retain", "publishers", "subscribers")

# Columns that a narrow terminal lacks, in this order; the topic begins with the class.
_DROP = ("SUBSCRIBERS", "PUBLISHERS", "CLASS", "RETAIN", "QOS")
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


def aligned(found: Sequence[Row], width: int | None = None) -> list[str]:
    """Return header and rows with aligned columns, without those that do not fit into ``width``."""
    head = tuple(name.upper() for name in HEADER)
    columns = fitting(head, found, width=width, drop=_DROP)
    cells = [[row[n] for n in columns] for row in (head, *found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]

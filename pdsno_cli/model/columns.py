"""Chooses the columns of a table that fit a width; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 2  # blanks between two columns


def fitting(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None, drop: Sequence[str]
) -> list[int]:
    """Return the columns that fit into ``width``, None for any width; no cell is ever cut.

    ``drop`` names the columns that may be missing, those first that are missed least.
    """
    columns = list(range(len(head)))
    widths = [max(len(line[index]) for line in (head, *rows)) for index in columns]
    for title in drop:
        if width is None or sum(widths[n] + GAP for n in columns) - GAP <= width:
            break
        columns = [n for n in columns if head[n] != title]
    return columns

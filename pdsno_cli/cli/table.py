"""Formats plain text tables; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.columns import fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return ``rows`` under ``head``, columns aligned, two blanks between; ends with a newline."""
    lines = [[title.upper() for title in head], *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def fitted(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    drop: Sequence[str],
) -> str:
    """Return the table without the columns of ``drop`` that do not fit: see ``fitting``."""
    columns = fitting(head, rows, width=width, drop=drop)
    return table([head[n] for n in columns], [[row[n] for n in columns] for row in rows])


def plural(number: int, noun: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {many or noun + 's'}"

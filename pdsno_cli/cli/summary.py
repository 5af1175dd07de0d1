"""Formats the closing summary of a run: per local and protocol, then the reports; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.cli.console import WIDTH
from pdsno_cli.cli.table import fitted
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from pdsno_cli.supervisor.board import Board, Row


_DROP = ("cycles", "new", "time", "targets")  # in a narrow terminal, in this order


def summary(board: Board, *, width: int = WIDTH) -> str:
    """Return the closing summary of a run: probes of the last cycle, counts of the whole run."""
    rows = [line for local in board.locals for line in _local(local)]
    head = ("controller", "protocol", "targets", "answers", "time", "cycles", "new", "devices")
    published = sum(local.sent for local in board.locals)
    committed = sum(local.committed or 0 for local in board.locals)
    regional = [row for row in board.rows.values() if row.role is Role.REGIONAL]
    top = [row for row in board.rows.values() if row.role is Role.GLOBAL]
    duplicates = sum(row.duplicates for row in (*regional, *top))
    refused = sum(sum(row.refused.values()) for row in board.rows.values())
    devices = sum(row.devices or 0 for row in top)
    speak = sum(local.snmp for local in board.locals)
    return (
        f"{fitted(head, rows, width=width, drop=_DROP)}\n"
        f"{devices} devices at the top, {speak} of them speak SNMP\n"
        f"reports: {published} published, {committed} committed in their regions, "
        f"{duplicates} duplicates dropped, {refused} messages refused\n"
    )


def _local(row: Row) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for index, probe in enumerate(row.probes.values()):
        first = index == 0
        lines.append(
            (
                row.controller_id if first else "",
                probe.protocol,
                str(probe.targets),
                str(probe.answers) if probe.error is None else "unavailable",
                f"{probe.seconds:.2f} s",
                str(row.cycles) if first else "",
                str(row.new) if first else "",
                str(row.devices or 0) if first else "",
            )
        )
    return lines

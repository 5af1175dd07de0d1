"""The board as plain data for the control socket: what ``pdsno status`` prints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdsno_cli.supervisor.board import Board, Row

FORMAT_VERSION = 1


def status_report(name: str, board: Board, broker: str, port: int = 0) -> dict[str, Any]:
    """Return the state of a run; ``last_cycle_age`` is in seconds."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": name,
        "broker": broker,
        "broker_port": port,
        "ready": board.ready(),
        "controllers": [_row(row) for row in board.rows.values()],
    }


def _row(row: Row) -> dict[str, Any]:
    age = None if row.last_cycle_at is None else round(time.monotonic() - row.last_cycle_at, 1)
    return {
        "id": row.controller_id,
        "role": row.role.value,
        "region": row.region,
        "state": row.state,
        "detail": row.detail,
        "pid": row.pid,
        "restarts": row.restarts,
        "transport": row.transport,
        "carried": row.carried,
        "epoch": row.epoch,
        "cycle": row.last_cycle,
        "outcome": row.outcome,
        "last_cycle_age": age,
        "devices": row.devices,
        "sent": row.sent,
        "waiting": row.waiting,
        "quarantined": row.quarantined,
        "reports": row.reports,
        "committed": row.committed,
        "committed_at_top": row.committed_top,
        "duplicates": row.duplicates,
        "refused": row.refused,
    }

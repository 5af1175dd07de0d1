"""Turns the board into plain data for the control socket: what ``pdsno status`` prints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdsno_cli.model.notices import TransportState
    from pdsno_cli.supervisor.board import Board, Row

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatus:
    """The broker of a run: ``text`` for people, ``port`` 0 where controllers use the bus.

    ``port`` is the one for the topology's protocol. ``port_311`` and ``port_5`` are those of an
    embedded broker, which serves both versions of MQTT.
    ``state`` is the state of an embedded broker's process: it overrides what controllers report.
    """

    text: str
    port: int = 0
    port_311: int | None = None
    port_5: int | None = None
    state: TransportState | None = None


def status_report(name: str, board: Board, broker: BrokerStatus) -> dict[str, Any]:
    """Return the state of a run; ``last_cycle_age``, ``for`` and ``next_try_in`` are seconds."""
    seen = board.broker()
    if broker.state is not None and not broker.state.up:
        seen = broker.state
    return {
        "format_version": FORMAT_VERSION,
        "source": "supervisor",
        "topology": name,
        "broker": broker.text,
        "broker_port": broker.port,
        "broker_port_v311": broker.port_311,
        "broker_port_v5": broker.port_5,
        "broker_state": None if seen is None else _transport(seen),
        "ready": board.ready(),
        "well": board.well,
        "controllers": [_row(board, row) for row in board.shown],
    }


def _transport(state: TransportState) -> dict[str, Any]:
    """Return a transport's state, times as durations: the clocks of two machines may differ."""
    now = time.time()
    return {
        "up": state.up,
        "for": round(max(now - state.since, 0.0), 1),
        "reason": state.reason,
        "next_try_in": None if state.next_try is None else round(max(state.next_try - now, 0.0), 1),
    }


def _row(board: Board, row: Row) -> dict[str, Any]:
    age = None if row.last_cycle_at is None else round(time.monotonic() - row.last_cycle_at, 1)
    level, reason = board.health(row)
    return {
        "id": row.controller_id,
        "role": row.role.value,
        "region": row.region,
        "state": row.state,
        "detail": row.detail,
        "health": level,
        "reason": reason,
        "warning": row.warning,
        "pid": row.pid,
        "restarts": row.restarts,
        "next_start_in": None
        if row.starts_at is None
        else round(max(row.starts_at - time.monotonic(), 0.0), 1),
        "transport": row.transport,
        "transports": {name: _transport(state) for name, state in row.transports.items()},
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

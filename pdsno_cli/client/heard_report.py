"""What was heard over the broker as documents; pure but for the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.ids import unix_seconds

if TYPE_CHECKING:
    from pdsno_cli.client.heard import Heard, HeardController

FORMAT_VERSION = 1
STATUS_LEFT_OUT = "devices, cycles, waiting messages, restarts, transports"
_REASONS = {
    "silent": "a status is retained, but no heartbeat arrives",
    "unknown": "no status was ever heard",
}


def members(heard: Heard) -> dict[str, Any]:
    """Return the members of JSON that say where a document is from."""
    broker = ", ".join(str(address) for address in heard.topology.broker.addresses)
    return {"source": "heard", "broker": f"broker on {broker}", "well": heard.well}


def heard_report(heard: Heard) -> dict[str, Any]:
    """Return the document of ``pdsno status --json``."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": heard.topology.name,
        **members(heard),
        "controllers": [_controller(item) for item in heard.controllers.values()],
        "left_out": STATUS_LEFT_OUT.split(", "),
    }


def _controller(item: HeardController) -> dict[str, Any]:
    status = item.status
    reason = _REASONS.get(item.level)
    if item.level == "down" and status is not None:
        reason = "it was stopped" if status.reason == "stop" else "its connection broke (will)"
    return {
        "id": item.controller_id,
        "role": item.role,
        "region": item.region,
        "health": item.level,
        "reason": reason,
        "epoch": item.epoch,
        "last_status": item.at,
        "last_status_age": None if item.at is None else _age(item.at),
        "heartbeat": None if status is None else status.heartbeat,
        "holder": None if status is None else status.holder,
    }


def _age(at: str) -> float | None:
    """Return the age of a status, by the clock of its sender, in seconds; None if that is invalid."""
    sent = unix_seconds(at)
    return None if sent is None else round(max(time.time() - sent, 0.0), 1)

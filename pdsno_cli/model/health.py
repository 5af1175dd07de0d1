"""Decides how healthy a controller is; the only place that does; pure.

``status``, the live table and the exit code of ``status`` use it. A controller is *ready* when its
best transport is active, its messages are acknowledged, and a parent receives its heartbeats. It is
*degraded* when only a fallback is active, a message waits for too long, or no parent receives its
heartbeats, *down* when it has no transport or process, or a parent reports it down, and *failed* for
errors of the file or the machine at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from pdsno_cli.model.durations import format_age

if TYPE_CHECKING:
    from pdsno_cli.model.notices import TransportState

Level = Literal["starting", "ready", "degraded", "down", "failed", "stopped"]

UNSEEN = "no parent receives its heartbeats"
_STARTING = ("waiting", "starting", "running", "connecting")


class Health(NamedTuple):
    """A health level; ``reason`` is one sentence why it is not ready."""

    level: Level
    reason: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that health derives from.

    ``state`` comes from its process and its supervisor, ``transport`` is the active one;
    ``transports`` begins with the best. ``stalled`` is a stream without acknowledgements, and
    ``stalled_for`` the age of its oldest message in seconds. ``seen_by_parent`` is True if a parent
    receives its heartbeats, False if none does, None while that is unknown.
    """

    state: str
    detail: str | None = None
    transport: str | None = None
    transports: Mapping[str, TransportState] = {}
    stalled: str | None = None
    stalled_for: float = 0.0
    seen_by_parent: bool | None = None
    unseen_reason: str | None = None


def health(facts: Facts) -> Health:
    """Return the health of a controller: the worst condition that holds."""
    state = facts.state
    if state in ("failed", "stopped"):
        return Health("failed" if state == "failed" else "stopped", facts.detail)
    if state == "connecting" and facts.transports:
        return Health("down", _away(facts) or facts.detail)
    if state in _STARTING:
        return Health("starting", facts.detail)
    if state != "ready":
        return Health("down", _away(facts) or facts.detail or state)
    if facts.seen_by_parent is False and facts.unseen_reason != UNSEEN:
        return Health("down", facts.unseen_reason)
    if facts.stalled is not None:
        return Health(
            "degraded",
            f"nothing of {facts.stalled} is acknowledged; "
            f"the oldest message waits for {format_age(facts.stalled_for)}",
        )
    if facts.seen_by_parent is False:
        return Health("degraded", UNSEEN)
    best = next(iter(facts.transports), facts.transport)
    if facts.transport not in (None, best):
        why = _away(facts)
        return Health("degraded", f"only {facts.transport} is active" + (f": {why}" if why else ""))
    return Health("ready")


def _away(facts: Facts) -> str | None:
    """Return why the best transport is not active."""
    return next((state.reason for state in facts.transports.values()), None)

"""How well a controller is: the one place where that is decided; pure.

``status``, the live table and the exit code of ``status`` all ask here. A controller is *ready* when
its best transport carries, what it sends is acknowledged, and who is above hears it. It is *degraded*
when only a fallback carries, something waits for too long, or nobody above hears it, *down* when it
has no transport, no process, or is called down from above, and *failed* for what the file or the
machine got wrong at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from pdsno_cli.model.notices import TransportState

Level = Literal["starting", "ready", "degraded", "down", "failed", "stopped"]

UNHEARD = "no controller above hears its heartbeats"
_STARTING = ("waiting", "starting", "running", "connecting")


class Health(NamedTuple):
    """The verdict; ``reason`` says in one sentence why it is not ready."""

    level: Level
    reason: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one controller.

    ``state`` is what its process and its supervisor say, ``transport`` the one that carries;
    ``transports`` begins with the best. ``stalled`` is a stream of which nothing is acknowledged, and
    ``stalled_for`` the age of its oldest message in seconds. ``heard`` is what the controllers above
    say of its heartbeats, None where they have not had the time to say anything.
    """

    state: str
    detail: str | None = None
    transport: str | None = None
    transports: Mapping[str, TransportState] = {}
    stalled: str | None = None
    stalled_for: float = 0.0
    heard: bool | None = None
    unheard_because: str | None = None


def health(facts: Facts) -> Health:
    """Return how well a controller is, the worst that is known first."""
    state = facts.state
    if state in ("failed", "stopped"):
        return Health("failed" if state == "failed" else "stopped", facts.detail)
    if state == "connecting" and facts.transports:
        return Health("down", _away(facts) or facts.detail)
    if state in _STARTING:
        return Health("starting", facts.detail)
    if state != "ready":
        return Health("down", _away(facts) or facts.detail or state)
    if facts.heard is False and facts.unheard_because != UNHEARD:
        return Health("down", facts.unheard_because)
    if facts.stalled is not None:
        return Health(
            "degraded",
            f"nothing of {facts.stalled} is acknowledged; the oldest message waits for "
            f"{facts.stalled_for:.0f} s",
        )
    if facts.heard is False:
        return Health("degraded", UNHEARD)
    best = next(iter(facts.transports), facts.transport)
    if facts.transport not in (None, best):
        why = _away(facts)
        return Health("degraded", f"{facts.transport} carries" + (f": {why}" if why else ""))
    return Health("ready")


def _away(facts: Facts) -> str | None:
    """Return why the best transport does not carry."""
    return next((state.reason for state in facts.transports.values()), None)

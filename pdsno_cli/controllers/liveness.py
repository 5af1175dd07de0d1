"""Judges from status messages and silence which peers are alive; pure but for the given clock.

A death counts only for the epoch and connection of the latest birth, since a will can arrive
after the next birth. A retained message proves nothing by itself: a peer known only from one is
presumed alive until three of its heartbeats are missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pdsno_cli.model.messages import Status

MISSED_BEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The last status of one peer, which arrived at ``seen``, in seconds on the monotonic clock."""

    epoch: int
    connection: int
    seq: int
    alive: bool
    seen: float
    heartbeat: float

    @property
    def deadline(self) -> float:
        """Return when three heartbeats will have been missed."""
        return self.seen + MISSED_BEATS * self.heartbeat


Verdict = Literal["up", "restarted", "down", "unchanged", "stale"]


def update(
    known: Peer | None, status: Status, *, epoch: int, seq: int, now: float
) -> tuple[Peer | None, Verdict]:
    """Return the peer after ``status``, and what happened to it.

    ``up`` it came (back), ``restarted`` before its silence was noticed, ``down`` it died,
    ``unchanged``, or ``stale`` where the message is outdated and changes nothing.
    """
    if known is not None:
        if epoch < known.epoch:
            return known, "stale"
        same = (epoch, status.connection) == (known.epoch, known.connection)
        if status.state == "death":
            if not same or not known.alive:
                return known, "stale"
            return replace(known, alive=False, seen=now), "down"
        if epoch == known.epoch and seq <= known.seq:
            # A retained copy does not prove life, but it has the heartbeat's interval.
            return replace(known, heartbeat=status.heartbeat), "stale"
    elif status.state == "death":
        return None, "stale"
    peer = Peer(
        epoch=epoch,
        connection=status.connection,
        seq=seq,
        alive=True,
        seen=now,
        heartbeat=status.heartbeat,
    )
    if known is None or not known.alive:
        return peer, "up"
    return peer, "restarted" if epoch != known.epoch else "unchanged"


def is_silent(peer: Peer, now: float) -> bool:
    """Return True if a peer presumed alive has missed three heartbeats."""
    return peer.alive and now >= peer.deadline

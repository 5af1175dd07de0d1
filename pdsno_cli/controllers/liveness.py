"""Judges from status messages and silence who is alive; pure but for the clock it is given.

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
    """What is known of one peer; ``heard`` is on the monotonic clock, in seconds."""

    epoch: int
    connection: int
    seq: int
    alive: bool
    heard: float
    heartbeat: float

    @property
    def deadline(self) -> float:
        """When three heartbeats will have been missed."""
        return self.heard + MISSED_BEATS * self.heartbeat


Verdict = Literal["up", "reborn", "down", "still", "stale"]


def hear(
    known: Peer | None, status: Status, *, epoch: int, seq: int, now: float
) -> tuple[Peer | None, Verdict]:
    """Return the peer after ``status`` and what that means.

    ``up`` it came (back), ``reborn`` it was restarted before anybody missed it, ``down`` it died,
    ``still`` nothing new, ``stale`` the message is out of date and changes nothing.
    """
    if known is not None:
        if epoch < known.epoch:
            return known, "stale"
        same = (epoch, status.connection) == (known.epoch, known.connection)
        if status.state == "death":
            if not same or not known.alive:
                return known, "stale"
            return replace(known, alive=False, heard=now), "down"
        if epoch == known.epoch and seq <= known.seq:
            # As the one that a broker kept: no sign of life, but it says how often to expect one.
            return replace(known, heartbeat=status.heartbeat), "stale"
    elif status.state == "death":
        return None, "stale"
    peer = Peer(
        epoch=epoch,
        connection=status.connection,
        seq=seq,
        alive=True,
        heard=now,
        heartbeat=status.heartbeat,
    )
    if known is None or not known.alive:
        return peer, "up"
    return peer, "reborn" if epoch != known.epoch else "still"


def silent(peer: Peer, now: float) -> bool:
    """Whether a peer held for alive has missed three heartbeats."""
    return peer.alive and now >= peer.deadline

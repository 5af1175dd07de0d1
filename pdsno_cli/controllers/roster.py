"""Watches the controllers below: keeps who is alive and announces who goes down or comes back."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.controllers.liveness import Peer, hear, silent
from pdsno_cli.model.horizon import ahead_text, is_ahead
from pdsno_cli.model.messages import Envelope, Event, Status
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context, Unit

log = logging.getLogger(__name__)
_USUAL = 5.0  # seconds between heartbeats of a peer that has not yet said how many
_LATE = 2.0  # seconds by which a look at the clock is late because this process did not run
# Seconds in which the numbers of heartbeats are kept together: replayed after a restart, only one
# that is younger could be taken for a sign of life.
KEEP_DELAY = 5.0
_PATIENCE = 0.2  # seconds between two looks at the clock, at least


class Roster:
    """The liveness of the controllers that one controller watches."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._peers: dict[str, Peer] = {}
        self._unheard: set[str] = set()
        self._beats: set[str] = set()  # whose heartbeats have numbers that are not kept yet
        self._deaf = True

    def start(self) -> None:
        """Take up the watch, beginning with those who were online when this controller stopped."""
        now = time.monotonic()
        for known in self._context.store.controllers():
            if known.state == "online":
                self._peers[known.controller_id] = Peer(
                    epoch=known.epoch,
                    connection=known.connection,
                    seq=known.seq,
                    alive=True,
                    heard=now,
                    heartbeat=_USUAL,
                )
        self._watch(_USUAL)

    def connected(self) -> None:
        """Hear again: whoever was alive has three heartbeats to say so.

        Over a fallback only those are judged who have come over it: the others may well be on the
        transport that this controller alone has lost.
        """
        now = time.monotonic()
        self._unheard = set(self._peers) if self._context.fallen_back() else set()
        self._peers = {sender: replace(peer, heard=now) for sender, peer in self._peers.items()}
        self._deaf = False

    def disconnected(self) -> None:
        """Stop judging: silence is no proof while this controller itself hears nothing."""
        self._deaf = True

    def hear(self, envelope: Envelope, status: Status) -> None:
        """Take in one status message."""
        sender = envelope.sender_id
        before = self._peers.get(sender)
        if is_ahead(envelope.epoch, time.time(), 0 if before is None else before.epoch):
            raise RefusedError(
                Reason.UNTIMELY,
                f"epoch {envelope.epoch} of {sender} is {ahead_text(envelope.epoch, time.time())}",
            )
        peer, verdict = hear(
            before, status, epoch=envelope.epoch, seq=envelope.seq, now=time.monotonic()
        )
        if peer is None:
            return
        self._peers[sender] = peer
        if verdict != "stale":
            self._unheard.discard(sender)
            self._keep_number(sender)
        if verdict == "down":
            self._change(sender, peer, status, "controller_down", reason=status.reason or "will")
        elif verdict == "up" and before is not None:
            self._change(sender, peer, status, "controller_up")
        elif verdict in ("up", "reborn"):
            self._change(sender, peer, status)

    def _keep_number(self, sender: str) -> None:
        """Keep the number of a heartbeat, together with others that come soon."""
        if not self._beats:
            self._context.scheduler.after(KEEP_DELAY, self._keep_numbers)
        self._beats.add(sender)

    def _keep_numbers(self) -> None:
        beats, self._beats = self._beats, set()
        found = [(name, self._peers[name].epoch, self._peers[name].seq) for name in beats]
        with self._context.store.transaction() as tx:
            tx.heard(found)

    def _sweep(self) -> None:
        now = time.monotonic()
        if now > self._due + _LATE:
            # This process itself was stopped: what it missed meanwhile is still in the mailbox.
            self._peers = {sender: replace(peer, heard=now) for sender, peer in self._peers.items()}
        for sender, peer in list(self._peers.items()):
            if not self._deaf and sender not in self._unheard and silent(peer, now):
                self._peers[sender] = lost = replace(peer, alive=False)
                with self._context.publisher.unit() as unit:
                    unit.tx.controller_state(sender, "offline")
                    self._announce(unit, sender, lost, "controller_down", reason="silence")
        deadlines = [
            peer.deadline
            for sender, peer in self._peers.items()
            if peer.alive and sender not in self._unheard
        ]
        wait = min(deadlines) - now if deadlines else 1.0
        self._watch(max(wait, _PATIENCE))

    def _watch(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        self._context.scheduler.after(seconds, self._sweep)

    def _change(
        self, sender: str, peer: Peer, status: Status, event: str | None = None, **detail: str
    ) -> None:
        """Keep a peer's new state and, where it is worth one, announce it by an event."""
        with self._context.publisher.unit() as unit:
            unit.tx.put_controller(
                controller_id=sender,
                role=status.role,
                region=status.region,
                state="online" if peer.alive else "offline",
                epoch=peer.epoch,
                connection=peer.connection,
                seq=peer.seq,
                at=time.time(),
            )
            if event is not None:
                self._announce(unit, sender, peer, event, **detail)

    def _announce(self, unit: Unit, sender: str, peer: Peer, event: str, **detail: str) -> None:
        bad = event == "controller_down" and detail.get("reason") != "stop"
        log.log(logging.WARNING if bad else logging.INFO, "%s: %s %s", sender, event, detail)
        unit.stage(
            self._context.topology.topics.events(SYSTEM),
            Event(
                event=event,
                severity="error" if bad else "info",
                subject=sender,
                region=self._context.spec.region,
                detail={**detail, "epoch": peer.epoch},
            ),
        )

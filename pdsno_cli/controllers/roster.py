"""Watches the controllers below: keeps who is alive and announces who goes down or comes back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.controllers.liveness import Peer, hear, silent
from pdsno_cli.model.messages import Envelope, Event, Status
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context

log = logging.getLogger(__name__)
_PATIENCE = 0.2  # seconds between two looks at the clock, at least


class Roster:
    """The liveness of the peers that one controller watches; ``reborn`` is told of new epochs."""

    def __init__(
        self,
        context: Context,
        *,
        announce: bool,
        reborn: Callable[[str], None] | None = None,
    ) -> None:
        self._context = context
        self._announce = announce
        self._reborn = reborn
        self._peers: dict[str, Peer] = {}
        self._deaf = True

    def start(self) -> None:
        """Take up the watch over silence."""
        self._context.scheduler.after(1.0, self._sweep)

    def connected(self) -> None:
        """Hear again: whoever was alive has three heartbeats to say so."""
        now = time.monotonic()
        self._peers = {sender: replace(peer, heard=now) for sender, peer in self._peers.items()}
        self._deaf = False

    def disconnected(self) -> None:
        """Stop judging: silence is no proof while this controller itself hears nothing."""
        self._deaf = True

    def hear(self, envelope: Envelope, status: Status) -> None:
        """Take in one status message."""
        sender = envelope.sender_id
        before = self._peers.get(sender)
        peer, verdict = hear(
            before, status, epoch=envelope.epoch, seq=envelope.seq, now=time.monotonic()
        )
        if peer is None:
            return
        self._peers[sender] = peer
        if verdict in ("up", "reborn", "down"):
            self._store(sender, peer, status)
        if verdict == "down":
            self._down(sender, peer, status.reason or "will")
        elif verdict == "up" and before is not None:
            self._event("controller_up", "info", sender, peer, {})
        if self._reborn is not None and before is not None and peer.epoch != before.epoch:
            self._reborn(sender)

    def _sweep(self) -> None:
        now = time.monotonic()
        for sender, peer in list(self._peers.items()):
            if not self._deaf and silent(peer, now):
                self._peers[sender] = lost = replace(peer, alive=False)
                with self._context.store.transaction() as tx:
                    tx.controller_state(sender, "offline")
                self._down(sender, lost, "silence")
        deadlines = [peer.deadline for peer in self._peers.values() if peer.alive]
        wait = min(deadlines) - now if deadlines else 1.0
        self._context.scheduler.after(max(wait, _PATIENCE), self._sweep)

    def _store(self, sender: str, peer: Peer, status: Status) -> None:
        with self._context.store.transaction() as tx:
            tx.put_controller(
                controller_id=sender,
                role=status.role,
                region=status.region,
                state="online" if peer.alive else "offline",
                epoch=peer.epoch,
                connection=peer.connection,
                at=time.time(),
            )

    def _down(self, sender: str, peer: Peer, reason: str) -> None:
        log.log(
            logging.INFO if reason == "stop" else logging.WARNING, "%s is down (%s)", sender, reason
        )
        severity = "info" if reason == "stop" else "error"
        self._event("controller_down", severity, sender, peer, {"reason": reason})

    def _event(
        self, name: str, severity: str, sender: str, peer: Peer, detail: dict[str, str]
    ) -> None:
        if not self._announce:
            return
        region = self._context.spec.region
        event = Event(
            event=name,
            severity=severity,  # type: ignore[arg-type]
            subject=sender,
            region=region,
            detail={**detail, "epoch": peer.epoch},
        )
        self._context.publisher.publish(self._context.topology.topics.events(SYSTEM), event)

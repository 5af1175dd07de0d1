"""Watches the controllers below: keeps who is alive and announces who goes down or comes back."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.controllers.liveness import Peer, hear, silent
from pdsno_cli.model.horizon import ahead_text, is_ahead
from pdsno_cli.model.messages import Envelope, Event, Status
from pdsno_cli.model.notices import PeerNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.controllers.ports import Context, Unit
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)
_USUAL = 5.0  # seconds between heartbeats of a peer that has not yet said how many
_LATE = 2.0  # seconds by which a look at the clock is late because this process did not run
# Seconds in which the numbers of heartbeats are kept together: replayed after a restart, only one
# that is younger could be taken for a sign of life.
KEEP_DELAY = 5.0
MOST_MET = 10_000  # controllers that are not of the file, and are watched
_PATIENCE = 0.2  # seconds between two looks at the clock, at least


class Roster:
    """The liveness of the controllers that one controller watches: those of its file, and others.

    All of them are ``of`` one role. Whoever reports to a parent is its child, though only its own
    file may say so. ``gone`` is called, in a transaction, with one of those that is not there when
    its parent starts.
    """

    def __init__(
        self, context: Context, of: Role, gone: Callable[[Transaction, str], None]
    ) -> None:
        self._context = context
        self._of = of
        self._gone = gone
        self._peers: dict[str, Peer] = {}
        self._met: set[str] = set()  # those who are not of the file
        self._recalled: set[str] = set()  # those of them who were not heard of since the start
        self._cleared: set[str] = set()  # those whose retained status is to go
        self._unheard: set[str] = set()
        self._beats: set[str] = set()  # whose heartbeats have numbers that are not kept yet
        self._deaf = True

    def start(self, strays: Iterable[str]) -> None:
        """Take up the watch, beginning with those who were online when this controller stopped.

        ``strays`` are those that it knows and that are not below it by the file: they are forgotten,
        but for those that the file does not know at all and that were online.
        """
        now = time.monotonic()
        declared = self._context.topology.controllers
        records = self._context.store.controllers()
        strays = set(strays)
        for name in strays - {known.controller_id for known in records}:
            self._forget(name)
        for known in records:
            name = known.controller_id
            if name in declared and name in strays:
                self._forget(name)
                continue
            if name not in declared:
                if known.state != "online":
                    self._forget(name)
                    continue
                self.meet(name)
                self._recalled.add(name)
            if known.state == "online":
                self._peers[name] = Peer(
                    epoch=known.epoch,
                    connection=known.connection,
                    seq=known.seq,
                    alive=True,
                    heard=now,
                    heartbeat=declared[name].heartbeat if name in declared else _USUAL,
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
        topics = self._context.topology.topics
        for name in self._cleared:
            self._context.publisher.clear(topics.status(name))

    def meet(self, sender: str) -> None:
        """Watch whoever reports, too, where the file does not know it."""
        if sender in self._met or sender in self._context.topology.controllers:
            return
        if len(self._met) >= MOST_MET:
            return
        log.info("%s is not of this file: it is watched from now on", sender)
        self._met.add(sender)
        self._cleared.discard(sender)
        self._context.subscribe(self._context.topology.topics.status(sender))

    def _forget(self, name: str) -> None:
        """Keep nothing of a controller that is neither of the file nor there."""
        log.info("%s is neither of this file nor there: it is forgotten", name)
        with self._context.store.transaction() as tx:
            tx.forget_controller(name)
            self._gone(tx, name)
        self._met.discard(name)
        self._recalled.discard(name)
        self._peers.pop(name, None)
        self._cleared.add(name)
        self._show(name, alive=False, reason="forgotten")
        if not self._deaf:
            self._context.publisher.clear(self._context.topology.topics.status(name))

    def disconnected(self) -> None:
        """Stop judging: silence is no proof while this controller itself hears nothing."""
        self._deaf = True

    def hear(self, envelope: Envelope, status: Status) -> None:
        """Take in one status message."""
        sender = envelope.sender_id
        before = self._peers.get(sender)
        if sender not in self._context.topology.controllers and not self._is_below(status):
            raise RefusedError(Reason.WRONG_TOPIC, f"{sender} is not below this controller")
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
        if verdict == "down" and sender in self._recalled:
            self._forget(sender)
            return
        self._peers[sender] = peer
        if verdict != "stale":
            self._unheard.discard(sender)
            self._recalled.discard(sender)
            self._keep_number(sender)
        if verdict == "down":
            self._change(sender, peer, status, "controller_down", reason=status.reason or "will")
        elif verdict == "up" and before is not None:
            self._change(sender, peer, status, "controller_up")
        elif verdict in ("up", "reborn"):
            self._change(sender, peer, status)

    def _is_below(self, status: Status) -> bool:
        region = self._context.spec.region
        return status.role == self._of.value and region in (None, status.region)

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
                if sender in self._recalled:
                    self._forget(sender)
                    continue
                self._peers[sender] = lost = replace(peer, alive=False)
                with self._context.publisher.unit() as unit:
                    unit.tx.controller_state(sender, "offline")
                    self._announce(unit, sender, lost, "controller_down", reason="silence")
                self._show(sender, alive=False, reason="silence")
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
        self._show(sender, alive=peer.alive, reason=detail.get("reason"))

    def _show(self, sender: str, *, alive: bool, reason: str | None) -> None:
        """Tell whoever watches this controller whether it hears another one."""
        self._context.watcher.notice(
            PeerNotice(
                controller_id=self._context.spec.controller_id,
                peer=sender,
                alive=alive,
                role=self._of,
                region=self._context.spec.region,
                reason=reason,
            )
        )

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

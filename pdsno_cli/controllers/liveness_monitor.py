"""Watches the controllers below one: keeps which are alive, and announces changes by events."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.controllers.liveness import Peer, is_silent, update
from pdsno_cli.model.epochs import ahead_text, is_ahead
from pdsno_cli.model.messages import Envelope, Event, Status
from pdsno_cli.model.notices import PeerNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.publisher import Unit
    from pdsno_cli.model.roles import Role
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)
_DEFAULT_HEARTBEAT = 5.0  # seconds, for a peer whose interval is not known yet
_LATE = 2.0  # seconds by which a check is late because this process did not run
# Seconds in which the numbers of heartbeats are written together. After a restart, only a replayed
# one that is younger could be taken for a sign of life.
WRITE_DELAY = 5.0
MOST_UNDECLARED = 10_000  # controllers that the file does not declare, and are watched
_SHORTEST = 0.2  # seconds between two checks, at least


class LivenessMonitor:
    """The liveness of the children of one controller, all of one ``role``. Owner's thread only.

    A controller that publishes to a parent is its child, though only its own file may declare it.
    ``gone`` is called, in a transaction, with an undeclared one that is offline when the parent
    starts.
    """

    def __init__(
        self, context: Context, role: Role, gone: Callable[[Transaction, str], None]
    ) -> None:
        self._context = context
        self._role = role
        self._gone = gone
        self._peers: dict[str, Peer] = {}
        self._undeclared: set[str] = set()
        self._unconfirmed: set[str] = set()  # undeclared, and without a sign of life since start
        self._cleared: set[str] = set()  # those whose retained status is to be deleted
        # Those that the fallback in use has brought no sign of life of: they are not judged.
        self._unseen: set[str] = set()
        self._unwritten: set[str] = set()  # those whose last number is not in the store
        self._elsewhere: set[str] = set()  # children of before that have another parent now
        self._suspended = True

    def start(self, strays: Iterable[str]) -> None:
        """Resume with the peers that were online when this controller stopped.

        ``strays`` are known peers that the file does not declare below this controller. They are
        forgotten, but for those that it does not declare at all and that were online.
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
                self.watch(name)
                self._unconfirmed.add(name)
            if known.state == "online":
                self._peers[name] = Peer(
                    epoch=known.epoch,
                    connection=known.connection,
                    seq=known.seq,
                    alive=True,
                    seen=now,
                    heartbeat=(
                        declared[name].heartbeat if name in declared else _DEFAULT_HEARTBEAT
                    ),
                )
        self._check_in(_DEFAULT_HEARTBEAT)

    def connected(self) -> None:
        """Resume liveness checks; live peers get a fresh deadline of three heartbeats.

        Over a fallback only peers that have used it are judged: the others may well be on the
        transport that this controller alone has lost.
        """
        self._unseen = set(self._peers) if self._context.fallen_back() else set()
        self._renew_deadlines()
        self._suspended = False
        topics = self._context.topology.topics
        for name in self._cleared:
            self._context.publisher.clear(topics.status(name))

    def disconnected(self) -> None:
        """Suspend liveness checks: silence proves nothing while nothing can arrive."""
        self._suspended = True

    def reconfigured(
        self, children: Iterable[str], removed: Iterable[str], elsewhere: Iterable[str]
    ) -> None:
        """Watch ``children`` that are new, and forget what is known of all others.

        Those ``removed`` have ended, those ``elsewhere`` have another parent.
        """
        for name in children:
            self._elsewhere.discard(name)
            self._cleared.discard(name)
            self._undeclared.discard(name)
            self._context.subscribe(self._context.topology.topics.status(name))
        for name in removed:
            self._forget(name, "it is removed")
        for name in elsewhere:
            self._elsewhere.add(name)
            self._forget(name, "it has another parent", clear=False)

    def is_elsewhere(self, sender: str) -> bool:
        """Return True if a controller was a child of this one, and is another's now."""
        return sender in self._elsewhere

    def watch(self, sender: str) -> None:
        """Watch a controller that publishes to this one, if the file does not declare it."""
        if sender in self._undeclared or sender in self._context.topology.controllers:
            return
        if len(self._undeclared) >= MOST_UNDECLARED:
            return
        log.info("%s is not declared in this file: watching it from now on", sender)
        self._undeclared.add(sender)
        self._cleared.discard(sender)
        self._context.subscribe(self._context.topology.topics.status(sender))

    def update(self, message: Envelope, status: Status) -> None:
        """Handle a status; RefusedError when its sender is not a child of this controller."""
        sender = message.sender_id
        if self._has_left(message):
            return
        before = self._peers.get(sender)
        if sender not in self._context.topology.controllers and not self._is_child(status):
            raise RefusedError(Reason.WRONG_TOPIC, f"{sender} is not below this controller")
        if is_ahead(message.epoch, time.time(), 0 if before is None else before.epoch):
            raise RefusedError(
                Reason.UNTIMELY,
                f"epoch {message.epoch} of {sender} is {ahead_text(message.epoch, time.time())}",
            )
        peer, verdict = update(
            before, status, epoch=message.epoch, seq=message.seq, now=time.monotonic()
        )
        if peer is None:
            return
        if verdict == "down" and sender in self._unconfirmed:
            self._forget(sender)
            return
        self._peers[sender] = peer
        if verdict != "stale":
            self._unseen.discard(sender)
            self._unconfirmed.discard(sender)
            self._write_soon(sender)
        if verdict == "down":
            self._change(sender, peer, status, "controller_down", reason=status.reason or "will")
        elif verdict == "up" and before is not None:
            self._change(sender, peer, status, "controller_up")
        elif verdict in ("up", "restarted"):
            self._change(sender, peer, status)

    def _has_left(self, message: Envelope) -> bool:
        """Return True if the sender of a status is no child any more; what is retained is deleted."""
        sender = message.sender_id
        if sender in self._elsewhere:
            return True
        if not self._context.live.is_removed(sender, message.epoch):
            return False
        if not self._suspended:  # it was published late, as a will is
            self._context.publisher.clear(self._context.topology.topics.status(sender))
        return True

    def _is_child(self, status: Status) -> bool:
        region = self._context.spec.region
        return status.role == self._role.value and region in (None, status.region)

    def _forget(
        self,
        name: str,
        why: str = "it is neither declared in this file nor online",
        *,
        clear: bool = True,
    ) -> None:
        """Delete all that is known of a controller, and its retained status if ``clear`` is set."""
        log.info("forgetting %s: %s", name, why)
        with self._context.store.transaction() as tx:
            tx.forget_controller(name)
            self._gone(tx, name)
        self._undeclared.discard(name)
        self._unconfirmed.discard(name)
        peer = self._peers.pop(name, None)
        self._show(name, 0 if peer is None else peer.epoch, alive=False, reason="forgotten")
        if not clear:
            return
        self._cleared.add(name)
        if not self._suspended:
            self._context.publisher.clear(self._context.topology.topics.status(name))

    def _write_soon(self, sender: str) -> None:
        """Write the number of a heartbeat, together with others that arrive soon."""
        if not self._unwritten:
            self._context.scheduler.after(WRITE_DELAY, self._write)
        self._unwritten.add(sender)

    def _write(self) -> None:
        names, self._unwritten = self._unwritten, set()
        peers = [(name, self._peers[name]) for name in names if name in self._peers]
        with self._context.store.transaction() as tx:
            tx.record_heartbeats((name, peer.epoch, peer.seq) for name, peer in peers)

    def _renew_deadlines(self) -> None:
        now = time.monotonic()
        self._peers = {name: replace(peer, seen=now) for name, peer in self._peers.items()}

    def _check(self) -> None:
        now = time.monotonic()
        if now > self._due + _LATE:
            # This process was stopped; what arrived meanwhile is still in the mailbox.
            self._renew_deadlines()
        for name, peer in list(self._peers.items()):
            if not self._suspended and name not in self._unseen and is_silent(peer, now):
                if name in self._unconfirmed:
                    self._forget(name)
                    continue
                self._peers[name] = lost = replace(peer, alive=False)
                with self._context.publisher.unit() as unit:
                    unit.tx.set_controller_state(name, "offline")
                    self._announce(unit, name, lost, "controller_down", reason="silence")
                self._show(name, peer.epoch, alive=False, reason="silence")
        deadlines = [
            peer.deadline
            for name, peer in self._peers.items()
            if peer.alive and name not in self._unseen
        ]
        self._check_in(max(min(deadlines) - now if deadlines else 1.0, _SHORTEST))

    def _check_in(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        self._context.scheduler.after(seconds, self._check)

    def _change(
        self, sender: str, peer: Peer, status: Status, event: str | None = None, **detail: str
    ) -> None:
        """Write a peer's new state and, if ``event`` is given, announce it."""
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
        self._show(sender, peer.epoch, alive=peer.alive, reason=detail.get("reason"))

    def _show(self, sender: str, epoch: int, *, alive: bool, reason: str | None) -> None:
        """Show the watcher whether a peer is alive."""
        self._context.watcher.notice(
            PeerNotice(
                controller_id=self._context.spec.controller_id,
                peer=sender,
                alive=alive,
                role=self._role,
                region=self._context.spec.region,
                epoch=epoch,
                reason=reason,
            )
        )

    def _announce(self, unit: Unit, sender: str, peer: Peer, event: str, **detail: str) -> None:
        bad = event == "controller_down" and detail.get("reason") != "stop"
        why = "".join(f", {key} {value}" for key, value in detail.items())
        log.log(logging.WARNING if bad else logging.INFO, "%s: %s%s", sender, event, why)
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

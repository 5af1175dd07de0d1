"""What a receiver has committed: judges each message's number, holds parts, sets poison aside."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from pdsno_cli.controllers.parts import Large, join
from pdsno_cli.controllers.receipts import Receipts
from pdsno_cli.model.horizon import ahead_text, is_ahead
from pdsno_cli.model.messages import DiscoveryReport, Event, Summary
from pdsno_cli.model.notices import CommitNotice, QuarantineNotice, WarningNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import SYSTEM
from pdsno_cli.nib.marks import START, Position, Verdict

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Command, Envelope
    from pdsno_cli.nib.received import Quarantined
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)

TELL_DELAY = 0.05  # seconds in which commits become one notice to whoever watches

_encode = msgspec.json.Encoder().encode
_decoders: dict[type, Callable[[bytes], Any]] = {
    kind: msgspec.json.Decoder(kind).decode for kind in (DiscoveryReport, Summary)
}


class _Unit:
    """What one transaction takes: how many reports were applied in it."""

    __slots__ = ("reports", "tx")

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.reports = 0


class Ledger:
    """The messages that one parent took, by sender and stream: each once, in order, no gaps.

    ``effect`` applies a message whatever its number is.
    """

    def __init__(self, context: Context, effect: Callable[[Transaction, Envelope], None]) -> None:
        self._context = context
        self._effect = effect
        self._receipts = Receipts(context)
        self._holding = set(context.store.holding())
        self._ahead: set[str] = set()  # senders whose epoch was announced to be
        self._at_hand: _Unit | None = None
        self._cycles: dict[str, tuple[int, int]] = {}
        self._reports = 0
        self._duplicates = 0
        self._telling = False

    def start(self) -> None:
        """Tell what is in quarantine from earlier."""
        if count := self._context.store.count_quarantined():
            self._tell_quarantine(count)

    def take(self, tx: Transaction, envelope: Envelope, *, whole: bool, first: bool) -> bool:
        """Record the message's number in ``tx``; whether its effect is to be applied.

        ``whole`` says that the message tells everything, so that nothing before it is missed.
        ``first`` says that the first message of a stream may be taken for granted, because
        nothing before it would matter. RefusedError when it is of an epoch that is over.
        """
        sender, stream = envelope.sender_id, envelope.stream
        if not tx.follow(sender, stream, envelope.epoch, envelope.seq) and not self._fits(
            tx, envelope, whole=whole, first=first
        ):
            return False
        self._unit(tx)
        return True

    def _fits(self, tx: Transaction, envelope: Envelope, *, whole: bool, first: bool) -> bool:
        """Judge a message that does not simply follow; see ``take``."""
        sender, stream = envelope.sender_id, envelope.stream
        number = Position(envelope.epoch, envelope.seq)
        verdict = tx.judge(sender=sender, stream=stream, epoch=number.epoch, seq=number.seq)
        after = tx.marked(sender, stream)
        if verdict is Verdict.STALE:
            # A sender that lost its store, or died before it could note our acknowledgement, would
            # send this for ever.
            tx.after(partial(self._receipts.unfit, sender, stream, after or START))
            raise RefusedError(
                Reason.REPLAYED, f"{stream} is of epoch {envelope.epoch}, which is over"
            )
        self._require_believable(tx, envelope, after or START)
        if verdict is Verdict.DUPLICATE:
            self._duplicates += 1
            log.debug("%s %d/%d came again: dropped", stream, *number)
            tx.after(partial(self._receipts.committed, sender, stream, after or number))
            return False
        fits = verdict is Verdict.NEXT or whole
        if verdict is Verdict.UNKNOWN:
            fits = whole or (first and envelope.seq == 1)
        if not fits:
            tx.after(partial(self._receipts.missing, sender, stream, after or START))
            return False
        tx.mark(sender=sender, stream=stream, to=number)
        return True

    def _require_believable(self, tx: Transaction, envelope: Envelope, after: Position) -> None:
        """Refuse an epoch from the future: once committed, it would make all others stale."""
        epoch, now = envelope.epoch, time.time()
        if not is_ahead(epoch, now, after.epoch):
            return
        sender, stream = envelope.sender_id, envelope.stream
        tx.after(partial(self._receipts.unfit, sender, stream, after))
        text = f"epoch {epoch} of {stream} is {ahead_text(epoch, now)}"
        if sender not in self._ahead:
            self._ahead.add(sender)
            tx.after(partial(self._announce_ahead, sender, epoch, text))
        raise RefusedError(Reason.UNTIMELY, text)

    def _announce_ahead(self, sender: str, epoch: int, text: str) -> None:
        """Announce, once for each sender, that nothing of it can be taken."""
        spec = self._context.spec
        event = Event(
            event="epoch_ahead",
            severity="error",
            subject=sender,
            region=spec.region,
            detail={"epoch": epoch, "why": text},
        )
        topic = self._context.topology.topics.events(spec.region or SYSTEM)
        with self._context.publisher.unit() as unit:
            unit.stage(topic, event)
        self._context.watcher.notice(
            WarningNotice(controller_id=spec.controller_id, text=f"{sender}: {text}: refused")
        )

    def assemble(self, tx: Transaction, envelope: Envelope, payload: Large) -> Large | None:
        """Return what is to be applied now: all parts together with the last, None before it."""
        key = envelope.sender_id, envelope.stream
        if payload.snapshot and key in self._holding:
            tx.let_go(*key)  # it tells everything: parts that are still held are out of date
        if payload.more:
            tx.hold(*key, Position(envelope.epoch, envelope.seq), _encode(payload))
            self._holding.add(key)
            return None
        if key not in self._holding:
            return payload
        held: list[Large] = [_decoders[type(payload)](part) for part in tx.let_go(*key)]
        tx.after(partial(self._holding.discard, key))
        held.append(payload)
        return join(held)

    def base(self, envelope: Envelope, command: Command) -> None:
        """Go on after a number whose forerunners are not to be had any more."""
        sender, to = envelope.sender_id, Position(command.epoch, command.seq)
        with self._context.store.transaction() as tx:
            mark = tx.marked(sender, command.stream)
            if mark is None or mark < to:
                log.warning("%s: goes on after %d/%d", command.stream, *to)
                tx.let_go(sender, command.stream)
                tx.mark(sender=sender, stream=command.stream, to=to, applied=0)

    def put_aside(
        self, *, sender: str, stream: str, at: Position, topic: str, data: bytes, reason: str
    ) -> bool:
        """Put a signed message that cannot be applied into quarantine; whether it was its turn.

        Its stream goes on after it, so it is acknowledged as if it were applied.
        """
        with self._context.store.transaction() as tx:
            verdict = tx.judge(sender=sender, stream=stream, epoch=at.epoch, seq=at.seq)
            if verdict is not Verdict.NEXT and (verdict is not Verdict.UNKNOWN or at.seq != 1):
                return False
            known = tx.marked(sender, stream) or START
            if is_ahead(at.epoch, time.time(), known.epoch):
                return False
            tx.mark(sender=sender, stream=stream, to=at, applied=0, quarantined=1)
            tx.put_aside(sender=sender, stream=stream, at=at, topic=topic, reason=reason, data=data)
        log.error("%s %d/%d is put into quarantine: %s", stream, *at, reason)
        self._receipts.committed(sender, stream, at)
        self._tell_quarantine(self._context.store.count_quarantined())
        return True

    def replay(self, tx: Transaction, kept: Quarantined, envelope: Envelope) -> None:
        """Apply a message of the quarantine after all; RefusedError when it is but a part.

        It is old by now, so its sender is asked for everything anew.
        """
        if getattr(envelope.payload, "more", False):
            raise RefusedError(Reason.UNPARSABLE, f"entry {kept.id} is a part: discard it")
        self._effect(tx, envelope)
        self.discard(tx, kept)

    def discard(self, tx: Transaction, kept: Quarantined) -> None:
        """Drop a message of the quarantine; its sender is asked for everything anew."""
        tx.discard(kept.id)
        tx.after(lambda: self._tell_quarantine(self._context.store.count_quarantined()))
        tx.after(partial(self._receipts.missing, kept.sender, kept.stream, START))

    def committed(self, tx: Transaction) -> None:
        """Tell the watcher, once ``tx`` is committed, of one report more and of the cycles."""
        self._unit(tx).reports += 1

    def _unit(self, tx: Transaction) -> _Unit:
        """Return what ``tx`` takes; once it is committed, senders and the watcher are told."""
        unit = self._at_hand
        if unit is None or unit.tx is not tx:
            unit = self._at_hand = _Unit(tx)
            tx.after(partial(self._committed, unit))
        return unit

    def _committed(self, unit: _Unit) -> None:
        for sender, stream, to, messages in unit.tx.advanced:
            self._receipts.committed(sender, stream, to, messages)
        if not unit.reports:
            return
        self._reports += unit.reports
        for local_id, cycle in unit.tx.cycles.items():
            self._cycles[local_id] = cycle.epoch, cycle.cycle
        if not self._telling:
            self._telling = True
            self._context.scheduler.after(TELL_DELAY, self._tell)

    def _tell(self) -> None:
        self._telling = False
        self._context.watcher.notice(
            CommitNotice(
                controller_id=self._context.spec.controller_id,
                cycles=dict(self._cycles),
                reports=self._reports,
                duplicates=self._duplicates,
                active=self._context.store.count_active(),
            )
        )

    def _tell_quarantine(self, messages: int) -> None:
        self._context.watcher.notice(
            QuarantineNotice(controller_id=self._context.spec.controller_id, messages=messages)
        )

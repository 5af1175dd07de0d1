"""What a receiver has committed: judges each message's number and keeps the count."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pdsno_cli.controllers.receipts import Receipts
from pdsno_cli.model.notices import CommitNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.marks import Verdict

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Command, Envelope, LocalCycle
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)


class Ledger:
    """The messages that one parent took, by sender and stream: each once, in order, no gaps."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._receipts = Receipts(context)
        self._cycles: dict[str, tuple[int, int]] = {}
        self._reports = 0
        self._duplicates = 0

    def take(self, tx: Transaction, envelope: Envelope, *, whole: bool, first: bool) -> bool:
        """Record the message's number in ``tx``; whether its effect is to be applied.

        ``whole`` says that the message tells everything, so that nothing before it is missed.
        ``first`` says that the first message of a stream may be taken for granted, because
        nothing before it would matter. RefusedError when it is of an epoch that is over.
        """
        sender, stream = envelope.sender_id, envelope.stream
        number = envelope.epoch, envelope.seq
        verdict = tx.judge(sender=sender, stream=stream, epoch=number[0], seq=number[1])
        if verdict is Verdict.STALE:
            raise RefusedError(
                Reason.REPLAYED, f"{stream} is of epoch {envelope.epoch}, which is over"
            )
        if verdict is Verdict.DUPLICATE:
            self._duplicates += 1
            log.info("%s %d/%d came again: dropped", stream, *number)
            self._receipts.committed(sender, stream, tx.marked(sender, stream) or number)
            return False
        fits = verdict is Verdict.NEXT or whole
        if verdict is Verdict.UNKNOWN:
            fits = whole or (first and envelope.seq == 1)
        if not fits:
            after = tx.marked(sender, stream) or (0, 0)
            log.warning("%s: messages between %s and %s are missing", stream, after, number)
            self._receipts.missing(sender, stream, after)
            return False
        tx.mark(sender=sender, stream=stream, epoch=number[0], seq=number[1])
        return True

    def base(self, envelope: Envelope, command: Command) -> None:
        """Go on after a number whose forerunners are not to be had any more."""
        sender = envelope.sender_id
        with self._context.store.transaction() as tx:
            mark = tx.marked(sender, command.stream)
            if mark is None or mark < (command.epoch, command.seq):
                log.warning("%s: goes on after %d/%d", command.stream, command.epoch, command.seq)
                tx.mark(sender=sender, stream=command.stream, epoch=command.epoch, seq=command.seq)

    def committed(self, envelope: Envelope, *cycles: LocalCycle) -> None:
        """Acknowledge a message, and tell the watcher how far local controllers are committed."""
        self._receipts.committed(
            envelope.sender_id, envelope.stream, (envelope.epoch, envelope.seq)
        )
        if not cycles:
            return
        self._reports += 1
        for cycle in cycles:
            self._cycles[cycle.local_id] = (cycle.epoch, cycle.cycle)
        self._context.watcher.notice(
            CommitNotice(
                controller_id=self._context.spec.controller_id,
                cycles=dict(self._cycles),
                reports=self._reports,
                duplicates=self._duplicates,
                active=self._context.store.count_active(),
            )
        )

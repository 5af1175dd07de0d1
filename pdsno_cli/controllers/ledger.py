"""What a receiver has committed: judges each message's number and keeps the count."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pdsno_cli.model.notices import CommitNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.marks import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Envelope, LocalCycle
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)


class Ledger:
    """The reports that one parent took, by sender; duplicates are counted and dropped."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cycles: dict[str, tuple[int, int]] = {}
        self._reports = 0
        self._duplicates = 0

    def take(self, tx: Transaction, envelope: Envelope) -> bool:
        """Record the message's number in ``tx``; whether its effect is to be applied.

        RefusedError when the message is of an epoch that is over.
        """
        verdict = tx.mark(
            sender=envelope.sender_id,
            stream=envelope.stream,
            epoch=envelope.epoch,
            seq=envelope.seq,
        )
        if verdict is Verdict.DUPLICATE:
            self._duplicates += 1
            log.info("%s %d/%d came again: dropped", envelope.stream, envelope.epoch, envelope.seq)
            return False
        if verdict is Verdict.STALE:
            raise RefusedError(
                Reason.REPLAYED, f"{envelope.stream} is of epoch {envelope.epoch}, which is over"
            )
        if verdict is Verdict.GAP:
            log.warning("%s: messages before %d are missing", envelope.stream, envelope.seq)
        return True

    def committed(self, *cycles: LocalCycle) -> None:
        """Tell the watcher how far the reports of local controllers are committed."""
        self._reports += 1
        self._note(cycles)
        self._context.watcher.notice(
            CommitNotice(
                controller_id=self._context.spec.controller_id,
                cycles=dict(self._cycles),
                reports=self._reports,
                duplicates=self._duplicates,
                active=self._context.store.count_active(),
            )
        )

    def _note(self, cycles: Iterable[LocalCycle]) -> None:
        for cycle in cycles:
            self._cycles[cycle.local_id] = (cycle.epoch, cycle.cycle)

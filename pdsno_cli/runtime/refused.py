"""Counts refused messages, and names the first of each reason in the log."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from pdsno_cli.model.log_limits import by_strangers
from pdsno_cli.model.notices import RefusalNotice

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Scheduler, Watcher
    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.refusals import RefusedError

log = logging.getLogger(__name__)

_EVERY = 0.2  # seconds between two notices


class Refused:
    """The refusals of one controller. Owner's thread only."""

    def __init__(self, *, controller_id: str, watcher: Watcher, scheduler: Scheduler) -> None:
        self._controller_id = controller_id
        self._watcher = watcher
        self._scheduler = scheduler
        self._counts: Counter[str] = Counter()
        self._telling = False

    def count(self, arrival: Arrival, refused: RefusedError) -> None:
        """Count a message that is not applied; an old retained one is nobody's fault."""
        self._counts[refused.reason.value] += 1
        kind = " (retained)" if arrival.retained else ""
        log.warning(
            "refused on %s%s: %s",
            arrival.topic,
            kind,
            refused,
            extra=by_strangers(refused.reason.value),
        )
        if not self._telling:
            self._telling = True
            self._scheduler.after(_EVERY, self._tell)

    def _tell(self) -> None:
        self._telling = False
        self._watcher.notice(
            RefusalNotice(controller_id=self._controller_id, counts=dict(self._counts))
        )

"""Counts rejected messages by reason, and logs them."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from pdsno_cli.model.log_limits import throttled
from pdsno_cli.model.notices import RefusalNotice

if TYPE_CHECKING:
    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.refusals import RefusedError

log = logging.getLogger(__name__)

_EVERY = 0.2  # seconds between two notices


class RejectionStats:
    """The messages that one controller rejected. Owner's thread only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._counts: Counter[str] = Counter()
        self._notice_due = False

    def count(self, arrival: Arrival, refused: RefusedError) -> None:
        """Count and log a message that is not applied."""
        self._counts[refused.reason.value] += 1
        kind = " (retained)" if arrival.retained else ""  # its sender may be long gone
        log.warning(
            "refused on %s%s: %s",
            arrival.topic,
            kind,
            refused,
            extra=throttled(refused.reason.value),
        )
        if not self._notice_due:
            self._notice_due = True
            self._endpoint.scheduler.after(_EVERY, self._show)

    def _show(self) -> None:
        self._notice_due = False
        self._endpoint.watcher.notice(
            RefusalNotice(
                controller_id=self._endpoint.spec.controller_id, counts=dict(self._counts)
            )
        )

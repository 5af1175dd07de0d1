"""How far one stream was sent, and how many of its messages may be on the way; no I/O.

A broker drops what exceeds its queue, and reports it to nobody. So a stream that lost something
goes on with a smaller window, which opens again as TCP's does (RFC 5681 section 3.1): doubled for
each window acknowledged up to ``threshold``, half of the window that lost something, and one
message for each window beyond.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdsno_cli.nib.offsets import Offset

WINDOW = 200  # messages of one stream that may wait for their acknowledgement
SMALLEST = 10  # the window after a loss
FIRST_TIMEOUT = 10  # ticks without progress after which the window is sent again
LONGEST_TIMEOUT = 40  # ticks: all is sent again within half a minute, whatever was wrong
SOON = 2  # ticks within which an acknowledgement may well be on its way
PROBES = (2, 3, 5, 9)  # ticks without progress after which the last message is sent again
PROBED = 2  # resent windows without progress, after which no probe is sent: nobody receives


class SendWindow:
    """The state of one stream at its sender.

    All up to ``acked`` is acknowledged, ``unflushed`` where the store does not yet have that.
    ``unacked`` are the positions sent since. ``blocked`` is True while no transport accepts the next
    message. ``idle`` counts ticks without progress, of which ``timeout`` may pass; ``timeouts`` is
    how often they did in a row. ``recovering`` is True from a loss until nothing is unacknowledged.
    ``stalled_since`` is when the oldest unacknowledged message was sent or refused, with no
    acknowledgement since, on the monotonic clock.
    """

    __slots__ = (
        "acked", "blocked", "idle", "recovering", "sent", "size", "stalled_since", "threshold",
        "timeout", "timeouts", "unacked", "unflushed",
    )  # fmt: skip

    def __init__(self, acked: Offset) -> None:
        self.sent = self.acked = acked
        self.unflushed = False
        self.unacked: deque[Offset] = deque()
        self.blocked = False
        self.idle = 0
        self.timeouts = 0
        self.timeout = _timeout(0)
        self.recovering = False
        self.stalled_since: float | None = None
        self.size = self.threshold = float(WINDOW)

    @property
    def room(self) -> int:
        """Return how many more messages may be sent before one is acknowledged."""
        return int(self.size) - len(self.unacked)

    @property
    def busy(self) -> bool:
        """Return True if a message is unacknowledged or blocked."""
        return self.blocked or bool(self.unacked)

    @property
    def tail_in_doubt(self) -> bool:
        """Return True if all unacknowledged messages may be lost, and no later one would show it.

        Elsewhere acknowledgements may take their time: many senders report a little.
        """
        return bool(self.unacked) and (self.recovering or self.room <= 0) and self.timeouts < PROBED

    def acknowledge(self, position: Offset) -> None:
        """Take all up to ``position`` as received, and open the window."""
        before = len(self.unacked)
        while self.unacked and self.unacked[0] <= position:
            self.unacked.popleft()
        arrived = before - len(self.unacked)
        grown = arrived / self.size if self.size >= self.threshold else arrived
        self.size = min(self.size + grown, WINDOW)
        self.acked, self.unflushed = position, True
        self.sent = max(self.sent, position)
        self.stalled_since = None
        self.restart_timer()

    def lose(self) -> None:
        """Shrink the window: a message that was sent did not arrive."""
        self.threshold = max(self.size / 2, float(SMALLEST))
        self.size = float(SMALLEST)
        self.recovering = True

    def restart_timer(self) -> None:
        """Wait for the first timeout again: the receiver is there."""
        self.idle = 0
        if self.timeouts:
            self.timeouts = 0
            self.timeout = _timeout(0)

    def back_off(self) -> None:
        """Wait longer than before: the receiver seems to be away."""
        self.idle = 0
        self.timeouts += 1
        self.timeout = _timeout(self.timeouts)


def _timeout(timeouts: int) -> int:
    """Return a number of ticks, doubled for each timeout, random so that senders spread."""
    ceiling = min(LONGEST_TIMEOUT, FIRST_TIMEOUT * 2 ** min(timeouts, 6))
    return round(random.uniform(ceiling * 0.75, ceiling * 1.25))  # noqa: S311 - no secret

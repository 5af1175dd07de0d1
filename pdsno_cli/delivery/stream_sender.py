"""Sends the outbox: each stream in order, a window at a time, again until it is acknowledged.

A broker's PUBACK proves nothing (a broker keeps messages in memory), so a message is deleted only
after its receiver acknowledged the commit. A stream that gets no acknowledgement sends its last
message again, which shows the receiver a gap (a tail loss probe, RFC 8985 section 7), then the whole
window. All of an epoch is acknowledged before the next one is sent, so a receiver can tell a gap
from a restart.
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING

from pdsno_cli.delivery.send_window import PROBES, SOON, SendWindow
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import Offset

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.ports import Scheduler
    from pdsno_cli.nib.outbox_table import OutboxRecord
    from pdsno_cli.nib.store import Store

log = logging.getLogger(__name__)

_TICK = 0.5  # seconds between two checks of streams that wait for an acknowledgement
_FLUSH = 0.5  # seconds in which acknowledgements are gathered before the store deletes


class StreamSender:
    """The sending side of every durable stream of one controller. Owner's thread only.

    ``send`` passes one message to a transport and returns True if it accepted it. ``on_backlog`` is
    called with the number of unacknowledged messages, after it changed.
    """

    def __init__(
        self,
        *,
        store: Store,
        send: Callable[[OutboxRecord], bool],
        scheduler: Scheduler,
        on_backlog: Callable[[int], None],
    ) -> None:
        self._store = store
        self._send = send
        self._scheduler = scheduler
        self._on_backlog = on_backlog
        self._flushing = False
        self._windows: dict[str, SendWindow] = {}
        self._ticking = False
        self._connected = False
        self._disconnected_at = time.monotonic()
        for stream in store.outbox_streams():
            self._window(stream)

    @property
    def backlog(self) -> int:
        """Return how many messages are not acknowledged."""
        self.flush_acknowledged()
        return self._store.outbox_count()

    def connected(self) -> None:
        """Send again all that is not acknowledged: it may be lost with the connection."""
        away = 0.0 if self._connected else time.monotonic() - self._disconnected_at
        self._connected = True
        for window in self._windows.values():
            if window.stalled_since is not None:
                window.stalled_since += away  # nobody could acknowledge anything
        for stream, window in self._windows.items():
            self._rewind(stream, window.acked)

    def disconnected(self) -> None:
        """Stop sending until connected."""
        if self._connected:
            self._disconnected_at = time.monotonic()
        self._connected = False

    def send_new(self, stream: str) -> None:
        """Send the messages of ``stream`` that were committed to the outbox."""
        self._window(stream)
        self._flush_soon()
        self._fill(stream)

    def acknowledged(self, stream: str, position: Offset) -> bool:
        """Take all of a stream up to ``position`` as committed. Return True if that is news.

        The store deletes them a moment later, many at once: after a crash they are only sent again.
        RefusedError when no message was ever numbered so.
        """
        window = self._window(stream)
        if position <= window.acked:
            return False
        if not self._was_sent(stream, window, position):
            raise RefusedError(
                Reason.UNSENT, f"{stream} has no number {position.epoch}/{position.seq} so far"
            )
        window.acknowledge(position)
        self._flush_soon()
        self._fill(stream)
        window.recovering = window.recovering and window.busy
        return True

    def resend(self, stream: str, after: Offset) -> bool:
        """Send again all that follows ``after``. Return False if the outbox lacks some of it."""
        if after < self.beginning(stream):
            return False
        window = self._window(stream)
        window.restart_timer()
        window.lose()
        self._rewind(stream, after)
        return True

    def beginning(self, stream: str) -> Offset:
        """Return the position after which the outbox still has every message of ``stream``."""
        return max(self._window(stream).acked, self._store.last_coalesced(stream))

    def coalesced(self, stream: str) -> None:
        """Send what replaced the messages of ``stream`` in the outbox."""
        self._flush_soon()
        self._rewind(stream, self._window(stream).acked)

    def expect_soon(self, concerns: Callable[[str], bool]) -> None:
        """Shorten the timeout of the streams that ``concerns`` selects: their receiver connected.

        It missed what was sent before.
        """
        for stream, window in self._windows.items():
            if window.unacked and concerns(stream):
                window.restart_timer()
                window.idle = window.timeout - SOON
                self._watch()

    def oldest_stall(self) -> tuple[str, float] | None:
        """Return the stream that is without an acknowledgement for the longest, and since when.

        None if none waits for one; the time is on the monotonic clock.
        """
        stalls = [
            (window.stalled_since, stream)
            for stream, window in self._windows.items()
            if window.stalled_since is not None
        ]
        if not stalls:
            return None
        since, stream = min(stalls)
        return stream, since

    def flush_acknowledged(self) -> None:
        """Delete what is acknowledged from the store, so that a restart does not send it again."""
        unflushed = {name: one for name, one in self._windows.items() if one.unflushed}
        if not unflushed:
            return
        with self._store.transaction() as tx:
            for stream, window in unflushed.items():
                tx.acknowledge(stream, window.acked)
        for window in unflushed.values():
            window.unflushed = False

    def _was_sent(self, stream: str, window: SendWindow, position: Offset) -> bool:
        epoch, seq = position
        if epoch == window.sent.epoch and seq <= window.sent.seq:
            return True  # as nearly always: the store need not be asked
        return 0 < seq <= self._store.issued(stream, epoch)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._scheduler.after(_FLUSH, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self._on_backlog(self.backlog)

    def _window(self, stream: str) -> SendWindow:
        if stream not in self._windows:
            self._windows[stream] = SendWindow(self._store.acknowledged(stream))
        return self._windows[stream]

    def _rewind(self, stream: str, to: Offset) -> None:
        window = self._window(stream)
        window.sent = to
        window.unacked.clear()
        self._fill(stream)

    def _fill(self, stream: str) -> None:
        """Send up to a full window, and nothing beyond an epoch that is not acknowledged."""
        window = self._windows[stream]
        window.blocked = False
        if not window.unacked:
            window.idle = 0
        while self._connected and not window.blocked and window.room > 0:
            following = self._store.outbox(stream, window.sent, window.room)
            for message in following:
                if window.unacked and window.unacked[0].epoch != message.epoch:
                    return self._watch()
                if window.unflushed and message.epoch != window.acked.epoch:
                    # The receiver rejects the epoch before from now on: never send that again.
                    self.flush_acknowledged()
                if not self._send(message):
                    window.blocked = True
                    break
                window.sent = message.offset
                window.unacked.append(message.offset)
            if not following:
                break
        return self._watch()

    def _watch(self) -> None:
        now = time.monotonic()
        for window in self._windows.values():
            if not window.busy:
                window.stalled_since = None
            elif window.stalled_since is None:
                window.stalled_since = now
        if not self._ticking and any(window.busy for window in self._windows.values()):
            self._ticking = True
            wait = random.uniform(_TICK * 0.8, _TICK * 1.2)  # noqa: S311 - no secret
            self._scheduler.after(wait, self._tick)

    def _tick(self) -> None:
        """Send again what seems not to have arrived."""
        self._ticking = False
        if not self._connected:
            return
        for stream, window in self._windows.items():
            if not window.busy:
                continue
            window.idle += 1
            if window.idle >= window.timeout:
                self._time_out(stream, window)
            elif window.idle in PROBES and window.tail_in_doubt:
                self._probe(stream, window)
        self._watch()

    def _time_out(self, stream: str, window: SendWindow) -> None:
        if window.unacked:
            log.info("%s: not acknowledged, sending again", stream)
            window.back_off()
            window.lose()
            self._rewind(stream, window.acked)
        else:
            self._fill(stream)

    def _probe(self, stream: str, window: SendWindow) -> None:
        epoch, seq = window.unacked[-1]
        for message in self._store.outbox(stream, Offset(epoch, seq - 1), 1):
            self._send(message)

"""Sends what the outbox keeps: in order, a window at a time, again until it is acknowledged.

A broker's PUBACK proves nothing (it holds messages in memory), so a message is dropped only when
its receiver says that it is committed. A broker may also drop what is too much for its queue, and
says so to nobody: a stream that lost something goes on with a smaller window, and one that hears
nothing says its last message once more, which shows its receiver the gap (a tail loss probe, as in
RFC 8985 section 7). All of an epoch is acknowledged before the next one is sent, so a receiver can
tell a gap from a new start.
"""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.marks import Position

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Scheduler
    from pdsno_cli.nib.outbox import Kept
    from pdsno_cli.nib.store import Store

log = logging.getLogger(__name__)

WINDOW = 200  # messages of one stream that wait for their acknowledgement at once
_SMALLEST = 10  # messages of the window after a loss
_LOOK = 0.5  # seconds between two looks at streams that wait
_FIRST_WAIT = 10  # looks without progress after which the window is sent again
_LONGEST_WAIT = 40  # looks: whatever was wrong, all is sent again within half a minute
_PROMPT = 2  # looks within which an acknowledgement may well be on its way
_PROBES = (2, 3, 5, 9)  # looks without progress after which the last message is said once more
_PROBED = 2  # times that the window is sent in vain, after which none is: nobody is there
_TIDY = 0.5  # seconds in which acknowledgements are gathered before the store hears of them


class _Stream:
    """How far one stream was sent.

    All up to ``settled`` is acknowledged, ``dirty`` where the store does not yet say so.
    ``waiting`` are the positions sent and not acknowledged; ``held`` says that the transport did
    not take the next one. ``quiet`` counts the looks since anything was heard, of which there may
    be ``patience``; ``tries`` how often the window was sent in vain. ``recovering`` says that some
    was lost, and that since then something always waited. ``window`` opens as TCP's does (RFC 5681
    section 3.1): quickly up to ``threshold``, where half of what was lost would have gone through,
    slowly from there on. ``standing`` is since when something waits and nothing was acknowledged,
    on the monotonic clock.
    """

    __slots__ = (
        "dirty", "held", "patience", "quiet", "recovering", "sent", "settled", "standing",
        "threshold", "tries", "waiting", "window",
    )  # fmt: skip

    def __init__(self, settled: Position) -> None:
        self.sent = self.settled = settled
        self.dirty = False
        self.waiting: deque[Position] = deque()
        self.held = False
        self.quiet = 0
        self.tries = 0
        self.patience = _patience(0)
        self.recovering = False
        self.standing: float | None = None
        self.window = self.threshold = float(WINDOW)

    @property
    def room(self) -> int:
        """How many messages more may be sent before one is acknowledged."""
        return int(self.window) - len(self.waiting)

    def lost(self) -> None:
        """Go on carefully: some of what was sent did not arrive."""
        self.threshold = max(self.window / 2, float(_SMALLEST))
        self.window = float(_SMALLEST)
        self.recovering = True

    def heard(self) -> None:
        """Begin to wait anew: somebody listens, so there is no reason to go on slowly."""
        self.quiet = 0
        if self.tries:
            self.tries = 0
            self.patience = _patience(0)

    def unheard(self) -> None:
        """Begin to wait anew, and longer: nobody seems to listen."""
        self.quiet = 0
        self.tries += 1
        self.patience = _patience(self.tries)

    def took(self, messages: int) -> None:
        """Open the window: so many messages did arrive."""
        slowly = self.window >= self.threshold
        self.window = min(self.window + (messages / self.window if slowly else messages), WINDOW)

    @property
    def open(self) -> bool:
        """Whether there is something to look after."""
        return self.held or bool(self.waiting)

    @property
    def doubtful(self) -> bool:
        """Whether all that waits may be lost, with nothing to follow that would show it.

        Elsewhere nobody is in doubt: where many report a little, acknowledgements take their time.
        """
        return bool(self.waiting) and (self.recovering or self.room <= 0) and self.tries < _PROBED


def _patience(tries: int) -> int:
    """Return how many looks to wait, after so many in vain; not the same for all who wait."""
    ceiling = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(tries, 6))
    return round(random.uniform(ceiling * 0.75, ceiling * 1.25))  # noqa: S311 - no secret


class Outbox:
    """The sending side of every durable stream of one controller. Owner's thread only.

    ``send`` hands one message to a transport and says whether it was taken; ``told`` hears how
    many messages wait, whenever that changes.
    """

    def __init__(
        self,
        *,
        store: Store,
        send: Callable[[Kept], bool],
        scheduler: Scheduler,
        told: Callable[[int], None],
    ) -> None:
        self._store = store
        self._send = send
        self._scheduler = scheduler
        self._told = told
        self._tidying = False
        self._streams: dict[str, _Stream] = {}
        self._looking = False
        self._connected = False
        self._lost_at = time.monotonic()
        for name in store.outbox_streams():
            self._stream(name)

    @property
    def depth(self) -> int:
        """How many messages wait for their acknowledgement."""
        self.drop()
        return self._store.outbox_count()

    def connected(self) -> None:
        """Send everything again that is not acknowledged: what was on its way may be lost."""
        away = 0.0 if self._connected else time.monotonic() - self._lost_at
        self._connected = True
        for state in self._streams.values():
            if state.standing is not None:
                state.standing += away  # nobody could have acknowledged anything
        for name, state in self._streams.items():
            self._rewind(name, state.settled)

    def disconnected(self) -> None:
        """Keep what comes; nothing carries it now."""
        if self._connected:
            self._lost_at = time.monotonic()
        self._connected = False

    def kept(self, stream: str) -> None:
        """Send what was committed to the outbox."""
        self._stream(stream)
        self._tidy_soon()
        self._fill(stream)

    def acknowledged(self, stream: str, position: Position) -> bool:
        """Take note that a receiver has committed all up to here; whether that was news.

        The store hears of it a moment later, for many acknowledgements at once: what is lost of
        them in a crash is only sent again. RefusedError when no such number was ever given out.
        """
        state = self._stream(stream)
        if position <= state.settled:
            return False
        if not self._was_sent(stream, state, position):
            raise RefusedError(
                Reason.UNSENT, f"{stream} has no number {position.epoch}/{position.seq} so far"
            )
        state.settled, state.dirty = position, True
        before = len(state.waiting)
        while state.waiting and state.waiting[0] <= position:
            state.waiting.popleft()
        state.took(before - len(state.waiting))
        state.sent = max(state.sent, position)
        state.heard()
        state.standing = None
        self._tidy_soon()
        self._fill(stream)
        state.recovering = state.recovering and state.open
        return True

    def _was_sent(self, stream: str, state: _Stream, position: Position) -> bool:
        epoch, seq = position
        if epoch == state.sent.epoch and seq <= state.sent.seq:
            return True  # as nearly always: the store need not be asked
        return 0 < seq <= self._store.issued(stream, epoch)

    def resend(self, stream: str, after: Position) -> bool:
        """Send again all that follows ``after``; False when some of that is not to be had."""
        if after < self.beginning(stream):
            return False
        state = self._stream(stream)
        state.heard()
        state.lost()
        self._rewind(stream, after)
        return True

    def beginning(self, stream: str) -> Position:
        """Return the place after which all of a stream that was ever numbered is still kept."""
        return max(self.settled(stream), self._store.last_coalesced(stream))

    def coalesced(self, stream: str) -> None:
        """What waited of a stream has given way to what follows."""
        self._tidy_soon()
        self._rewind(stream, self.settled(stream))

    def nudge(self, concerns: Callable[[str], bool]) -> None:
        """Wait only shortly for a receiver that has just come: it missed what was sent before."""
        for name, state in self._streams.items():
            if state.waiting and concerns(name):
                state.heard()
                state.quiet = state.patience - _PROMPT
                self._watch()

    def standstill(self) -> tuple[str, float] | None:
        """Return the stream that stands still for the longest, and since when, None without any.

        It was sent, or nothing took it, and nothing of it was acknowledged since that time on the
        monotonic clock.
        """
        standing = [
            (state.standing, name)
            for name, state in self._streams.items()
            if state.standing is not None
        ]
        if not standing:
            return None
        since, name = min(standing)
        return name, since

    def settled(self, stream: str) -> Position:
        """Return how far a stream is acknowledged."""
        return self._stream(stream).settled

    def _tidy_soon(self) -> None:
        if not self._tidying:
            self._tidying = True
            self._scheduler.after(_TIDY, self._tidy)

    def _tidy(self) -> None:
        self._tidying = False
        self._told(self.depth)

    def drop(self) -> None:
        """Drop from the store what is acknowledged, so that it is not sent again next time."""
        dirty = {name: state for name, state in self._streams.items() if state.dirty}
        if not dirty:
            return
        with self._store.transaction() as tx:
            for name, state in dirty.items():
                tx.settle(name, state.settled)
        for state in dirty.values():
            state.dirty = False

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            self._streams[name] = _Stream(self._store.settled(name))
        return self._streams[name]

    def _rewind(self, name: str, to: Position) -> None:
        state = self._stream(name)
        state.sent = to
        state.waiting.clear()
        self._fill(name)

    def _fill(self, name: str) -> None:
        """Send on, up to a full window and never beyond an epoch that is not acknowledged."""
        state = self._streams[name]
        state.held = False
        if not state.waiting:
            state.quiet = 0
        while self._connected and not state.held and state.room > 0:
            following = self._store.outbox(name, state.sent, state.room)
            for message in following:
                if state.waiting and state.waiting[0].epoch != message.epoch:
                    return self._watch()
                if state.dirty and message.epoch != state.settled.epoch:
                    self.drop()  # its receiver will refuse the epoch before: never send that again
                if not self._send(message):
                    state.held = True
                    break
                state.sent = message.position
                state.waiting.append(message.position)
            if not following:
                break
        return self._watch()

    def _watch(self) -> None:
        now = time.monotonic()
        for state in self._streams.values():
            if not state.open:
                state.standing = None
            elif state.standing is None:
                state.standing = now
        if not self._looking and any(state.open for state in self._streams.values()):
            self._looking = True
            wait = random.uniform(_LOOK * 0.8, _LOOK * 1.2)  # noqa: S311 - no secret
            self._scheduler.after(wait, self._look)

    def _look(self) -> None:
        """Send again what nobody seems to have heard."""
        self._looking = False
        if not self._connected:
            return
        for name, state in self._streams.items():
            if state.open:
                state.quiet += 1
                if state.quiet >= state.patience:
                    self._again(name, state)
                elif state.quiet in _PROBES and state.doubtful:
                    self._probe(name, state)
        self._watch()

    def _again(self, name: str, state: _Stream) -> None:
        if state.waiting:
            log.info("%s: no acknowledgement, sending again", name)
            state.unheard()
            state.lost()
            self._rewind(name, state.settled)
        else:
            self._fill(name)

    def _probe(self, name: str, state: _Stream) -> None:
        epoch, seq = state.waiting[-1]
        for message in self._store.outbox(name, Position(epoch, seq - 1), 1):
            self._send(message)

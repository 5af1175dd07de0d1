"""Asks many addresses over one socket: paced sending, rolling tries, early end, prompt cancel.

One thread sends what the clock owes, reads for a moment, then waits. It knows nothing of protocols:
an ``Exchange`` sends the question to one target and says which targets have answered. What it holds
grows with the questions that are under way, not with the targets, of which there may be a million.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

CANCEL_POLL = 0.05  # seconds; the longest that a cancelled probe keeps its thread
_NAP = 0.004  # seconds of debt to let grow before waking up for it: fewer, larger bursts
_BURST = 64  # questions sent before answers are drained, so that no receive buffer fills
_READ = 0.005  # seconds of reading before questions get their turn again, whoever goes on sending


class Exchange(Protocol):
    """One protocol's questions and answers on one non-blocking socket; targets are indices."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with answers."""

    def send(self, index: int) -> bool:
        """Ask target ``index``; False when it cannot be asked; BlockingIOError: not just now."""

    def receive(self) -> Iterator[int | None]:
        """Drain the socket; for each datagram yield the target that is done with, None for junk.

        It may be left at any datagram and is called again: senders may be faster than this reads.
        """


def ask(
    exchange: Exchange,
    indices: Sequence[int],
    *,
    rate: float,
    tries: int,
    timeout: float,
    cancel: threading.Event,
) -> None:
    """Ask every target up to ``tries`` times, ``timeout`` seconds apart, ``rate`` a second in all.

    Returns as soon as no target is open: answered, not askable, or ``timeout`` past its last try.
    """
    targets = _Open(indices)
    fresh = iter(indices)
    first = next(fresh, None)  # the next target that was never asked
    again: deque[tuple[float, int, int]] = deque()  # (monotonic time, try, target), in order
    poller = select.poll()
    poller.register(exchange.fileno(), select.POLLIN)
    pause = 1.0 / rate
    clear = time.monotonic()  # when the next question may go out
    while targets.left and not cancel.is_set():
        now = time.monotonic()
        clear = max(clear, now - _BURST * pause)
        sent = 0
        while clear <= now and sent < _BURST:
            if again and again[0][0] <= now:
                _, attempt, index = again.popleft()
            elif first is not None:
                attempt, index, first = 1, first, next(fresh, None)
            else:
                break
            if index not in targets:
                continue
            if attempt > tries:
                targets.close(index)
                continue
            try:
                asked = exchange.send(index)
            except BlockingIOError:
                again.appendleft((now, attempt, index))
                clear = now + 0.001  # the send buffer is full: let it drain a millisecond
                break
            sent += 1
            clear += pause
            if asked:
                again.append((now + timeout, attempt + 1, index))
            else:
                targets.close(index)
        _read(exchange, targets)
        if not targets.left:
            break
        due = now if first is not None else again[0][0] if again else now + CANCEL_POLL
        wait = max(due, clear + _NAP) - time.monotonic()
        poller.poll(max(0.0, min(wait, CANCEL_POLL)) * 1000)
        _read(exchange, targets)


class _Open:
    """Which targets are still to be asked or waited for: a byte for each."""

    def __init__(self, indices: Sequence[int]) -> None:
        self._open = bytearray(max(indices, default=-1) + 1)
        for index in indices:
            self._open[index] = 1
        self.left = len(indices)

    def __contains__(self, index: int) -> bool:
        return index < len(self._open) and bool(self._open[index])

    def close(self, index: int) -> None:
        """Be done with a target."""
        if index in self:
            self._open[index] = 0
            self.left -= 1


def _read(exchange: Exchange, targets: _Open) -> None:
    """Take in what has come, but no longer than for a moment."""
    until = time.monotonic() + _READ
    for index in exchange.receive():
        if index is not None:
            targets.close(index)
        if time.monotonic() >= until:
            return

"""Asks many addresses over one socket: paced sending, rolling tries, early end, prompt cancel.

One thread sends what the clock owes, drains without blocking, then waits. It knows nothing of
protocols: an ``Exchange`` sends the question to one target and says which targets have answered.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

CANCEL_POLL = 0.05  # seconds; the longest that a cancelled probe keeps its thread
_NAP = 0.004  # seconds of debt to let grow before waking up for it: fewer, larger bursts
_BURST = 64  # questions sent before answers are drained, so that no receive buffer fills


class Exchange(Protocol):
    """One protocol's questions and answers on one non-blocking socket; targets are indices."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with answers."""

    def send(self, index: int) -> bool:
        """Ask target ``index``; False when it cannot be asked; BlockingIOError: not just now."""

    def receive(self) -> Iterable[int]:
        """Drain the socket; return the targets that need not be asked any more."""


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
    open_targets = set(indices)
    due = deque((0.0, 1, index) for index in indices)  # (monotonic time, try, target), in order
    poller = select.poll()
    poller.register(exchange.fileno(), select.POLLIN)
    pause = 1.0 / rate
    clear = time.monotonic()  # when the next question may go out
    while open_targets and not cancel.is_set():
        now = time.monotonic()
        clear = max(clear, now - _BURST * pause)
        sent = 0
        while due and due[0][0] <= now and clear <= now and sent < _BURST:
            _, attempt, index = due.popleft()
            if index not in open_targets:
                continue
            if attempt > tries:
                open_targets.discard(index)
                continue
            try:
                asked = exchange.send(index)
            except BlockingIOError:
                due.appendleft((now, attempt, index))
                clear = now + 0.001  # the send buffer is full: let it drain a millisecond
                break
            sent += 1
            clear += pause
            if asked:
                due.append((now + timeout, attempt + 1, index))
            else:
                open_targets.discard(index)
        open_targets.difference_update(exchange.receive())
        if not open_targets:
            break
        wait = max(due[0][0], clear + _NAP) - time.monotonic() if due else CANCEL_POLL
        poller.poll(max(0.0, min(wait, CANCEL_POLL)) * 1000)
        open_targets.difference_update(exchange.receive())

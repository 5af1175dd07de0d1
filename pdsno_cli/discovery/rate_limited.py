"""Sends requests to many addresses over one socket: rate limit, retries, early end, prompt cancel.

One thread sends what the rate allows, reads for a moment, then waits. It knows no protocol: a
``ProbeSocket`` sends the request to one target and names the targets that have answered. Memory
grows with the requests in flight, not with the targets, of which there may be a million.
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
_NAP = 0.004  # seconds of sending that may fall due before a wake-up: fewer, larger bursts
_BURST = 64  # requests sent before answers are drained, so that no receive buffer fills
_READ = 0.005  # seconds of reading before requests go out again, even while datagrams keep coming


class ProbeSocket(Protocol):
    """One protocol's requests and answers on one non-blocking socket; targets are indices."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when answers arrive."""

    def send(self, index: int) -> bool:
        """Send the request to target ``index``. Return False if this target cannot be reached.

        Raises BlockingIOError when the send buffer is full.
        """

    def receive(self) -> Iterator[int | None]:
        """Drain the socket; yield for each datagram the target that is finished, None for junk.

        The caller may stop at any datagram and call again: senders may be faster than it reads.
        """


def request_all(
    sock: ProbeSocket,
    indices: Sequence[int],
    *,
    rate: float,
    tries: int,
    timeout: float,
    cancel: threading.Event,
) -> None:
    """Send each target up to ``tries`` requests, ``timeout`` seconds apart, ``rate`` a second in all.

    Returns as soon as every target is finished: it answered, cannot be reached, or ``timeout``
    seconds have passed since its last try.
    """
    pending = _Pending(indices)
    fresh = iter(indices)
    first = next(fresh, None)  # the next target without a request so far
    retries: deque[tuple[float, int, int]] = deque()  # (monotonic time, try, target), in order
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    pause = 1.0 / rate
    clear = time.monotonic()  # when the next request may go out
    while pending.count and not cancel.is_set():
        now = time.monotonic()
        clear = max(clear, now - _BURST * pause)
        sent = 0
        while clear <= now and sent < _BURST:
            if retries and retries[0][0] <= now:
                _, attempt, index = retries.popleft()
            elif first is not None:
                attempt, index, first = 1, first, next(fresh, None)
            else:
                break
            if index not in pending:
                continue
            if attempt > tries:
                pending.finish(index)
                continue
            try:
                reachable = sock.send(index)
            except BlockingIOError:
                retries.appendleft((now, attempt, index))
                clear = now + 0.001  # the send buffer is full: let it drain a millisecond
                break
            sent += 1
            clear += pause
            if reachable:
                retries.append((now + timeout, attempt + 1, index))
            else:
                pending.finish(index)
        _read(sock, pending)
        if not pending.count:
            break
        due = now if first is not None else retries[0][0] if retries else now + CANCEL_POLL
        wait = max(due, clear + _NAP) - time.monotonic()
        poller.poll(max(0.0, min(wait, CANCEL_POLL)) * 1000)
        _read(sock, pending)


class _Pending:
    """The targets that are not finished: one byte each."""

    def __init__(self, indices: Sequence[int]) -> None:
        self._pending = bytearray(max(indices, default=-1) + 1)
        for index in indices:
            self._pending[index] = 1
        self.count = len(indices)

    def __contains__(self, index: int) -> bool:
        return index < len(self._pending) and bool(self._pending[index])

    def finish(self, index: int) -> None:
        """Remove a target; no effect if it is finished already."""
        if index in self:
            self._pending[index] = 0
            self.count -= 1


def _read(sock: ProbeSocket, pending: _Pending) -> None:
    """Read what has arrived, but no longer than ``_READ`` seconds."""
    until = time.monotonic() + _READ
    for index in sock.receive():
        if index is not None:
            pending.finish(index)
        if time.monotonic() >= until:
            return

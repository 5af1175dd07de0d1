"""Sends requests to many addresses over few sockets: rate limit, retries, early end, prompt cancel.

One thread sends what the rate allows, reads for a moment, then waits. It knows no protocol: a
``ProbeSocket`` sends the request to one target and names the targets that have answered. Memory
grows with the requests in flight, not with the targets, of which there may be a million.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from pdsno_cli.discovery.adaptive import AdaptiveTimeout
from pdsno_cli.discovery.progress import Progress

if TYPE_CHECKING:
    import threading
    from collections.abc import Container, Iterator, Sequence

CANCEL_POLL = 0.05  # seconds; the longest that a cancelled probe keeps its thread
SURVEY = 4096  # targets that get every try in any case: enough to see whether requests get lost
_NAP = 0.002  # seconds of sending that may fall due before a wake-up: fewer, larger bursts
_BURST = 64  # requests sent before answers are drained, so that no receive buffer fills
_CREDIT = 0.1  # seconds of sending that may be made up for at once, within one burst
STUCK = 60.0  # seconds without a request sent; neighbour entries may be replaced after up to 50
_READ = 0.005  # seconds of reading before requests go out again, even while datagrams keep coming


class ProbeSocket(Protocol):
    """One protocol's requests and answers on non-blocking sockets; targets are indices."""

    def filenos(self) -> Sequence[int]:
        """Return the descriptors that become readable when answers arrive."""

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
    floor: float | None = None,
    patient: Container[int] | None = None,
    progress: Progress | None = None,
) -> None:
    """Send each target up to ``tries`` requests, ``rate`` a second in all.

    Returns as soon as every target is finished: it answered, cannot be reached, or ``timeout``
    seconds have passed since its last try. An answer counts whichever try it is to.

    A target counts as one that cannot be reached when nothing could be sent for ``STUCK`` seconds,
    because a buffer or the kernel's neighbour table stays full.

    With a ``floor`` the timeout adapts between it and ``timeout``, and where answers come to
    retries only, one or two more tries are made. Targets in ``patient`` (all, if None) still get
    ``timeout`` seconds after the last try. The others are given up after the adapted timeout, and
    beyond the first ``SURVEY`` they are retried only while requests are seen to get lost.
    """
    run = _Run(sock, indices, rate=rate, tries=tries, ceiling=timeout, floor=floor, patient=patient)
    run.run(cancel, progress or Progress())


class _Run:
    """The state of one ``request_all``."""

    def __init__(
        self,
        sock: ProbeSocket,
        indices: Sequence[int],
        *,
        rate: float,
        tries: int,
        ceiling: float,
        floor: float | None,
        patient: Container[int] | None,
    ) -> None:
        self._sock = sock
        self._targets = _Targets(indices)
        self._indices = indices
        self._position = 0  # in ``indices``, of the next target without a request so far
        self._pause = 1.0 / rate
        self._tries = tries
        self._ceiling = ceiling
        self._patient = patient
        self._timeout = AdaptiveTimeout(ceiling=ceiling, floor=floor)
        self._last_send = time.monotonic()  # or the start
        self._sent: dict[int, tuple[float, int]] = {}  # of unfinished targets: time, try
        # Both in the order of sending: targets that wait for the adapted timeout, and those that
        # go on to wait for the ceiling after their last try.
        self._waiting: deque[int] = deque()
        self._patiently: deque[int] = deque()

    def run(self, cancel: threading.Event, progress: Progress) -> None:
        """Send and receive until every target is finished, or ``cancel`` is set."""
        before, count = progress.finished, self._targets.pending
        progress.begun += count
        poller = select.poll()
        for descriptor in self._sock.filenos():
            poller.register(descriptor, select.POLLIN)
        credit = min(_BURST * self._pause, _CREDIT)
        clear = time.monotonic() - credit  # when the next request may go out
        while self._targets.pending and not cancel.is_set():
            now = time.monotonic()
            progress.finished = before + count - self._targets.pending
            clear = self._send_due(now, max(clear, now - credit))
            self._read()
            if not self._targets.pending:
                break
            wait = max(self._next_event(now), clear + _NAP) - time.monotonic()
            poller.poll(max(0.0, min(wait, CANCEL_POLL)) * 1000)
            self._read()
        progress.finished = before + count - self._targets.pending

    def _send_due(self, now: float, clear: float) -> float:
        """Send what the rate allows by ``now``; return when the next request may go out."""
        sent = 0
        self._give_up(now)
        while clear <= now and sent < _BURST:
            index = self._take(now)
            if index is None:
                break
            try:
                reachable = self._sock.send(index)
            except BlockingIOError:
                if now - self._last_send < STUCK:
                    self._put_back(index)
                    return now + 0.001  # a buffer or table is full: let it drain a millisecond
                reachable = False
            else:
                self._last_send = now
            sent += 1
            clear += self._pause
            if reachable:
                _, attempt = self._sent.get(index, (0.0, 0))
                self._sent[index] = now, attempt + 1
                self._waiting.append(index)
            else:
                self._finish(index)
        return clear

    def _take(self, now: float) -> int | None:
        """Return the target that gets the next request, None if none is due.

        First requests go before retries, which wait in any case, as long as not too many do.
        """
        if len(self._waiting) < SURVEY and self._position < len(self._indices):
            self._position += 1
            return self._indices[self._position - 1]
        while self._waiting:
            index = self._waiting[0]
            if index not in self._sent:  # it has answered
                self._waiting.popleft()
                continue
            sent, attempt = self._sent[index]
            if now < sent + self._timeout.seconds:
                break
            self._waiting.popleft()
            if attempt < self._tries_of(index):
                return index
            if self._is_patient(index):
                self._patiently.append(index)
            else:
                self._finish(index, gave_up=True)
        if self._position == len(self._indices):
            return None
        self._position += 1
        return self._indices[self._position - 1]

    def _give_up(self, now: float) -> None:
        """Give up those that have waited for the ceiling, also while there are others to send to.

        Otherwise all silent targets of a sweep would be in memory until the last one is asked.
        """
        while self._patiently:
            index = self._patiently[0]
            if index in self._sent:  # it has not answered
                sent, attempt = self._sent[index]
                if attempt < self._tries_of(index):
                    self._waiting.appendleft(index)
                elif now < sent + self._ceiling:
                    break
                else:
                    self._finish(index, gave_up=True)
            self._patiently.popleft()

    def _put_back(self, index: int) -> None:
        """Undo a ``_take`` whose request could not be sent."""
        if index in self._sent:
            self._waiting.appendleft(index)
        else:
            self._position -= 1

    def _next_event(self, now: float) -> float:
        """Return when there is something to send, or a target to give up."""
        if self._position < len(self._indices):
            return now
        adapted, due = self._timeout.seconds, now + CANCEL_POLL
        for queue, timeout in ((self._waiting, adapted), (self._patiently, self._ceiling)):
            while queue and queue[0] not in self._sent:  # it has answered
                queue.popleft()
            if queue:
                due = min(due, self._sent[queue[0]][0] + timeout)
        return due

    def _tries_of(self, index: int) -> int:
        extra = self._timeout.extra_tries
        if extra or index < SURVEY or not self._timeout.adapted or self._is_patient(index):
            return self._tries + extra
        return 1

    def _is_patient(self, index: int) -> bool:
        return self._patient is None or index in self._patient

    def _finish(self, index: int, *, gave_up: bool = False) -> None:
        self._sent.pop(index, None)
        self._targets.finish(index, gave_up=gave_up)

    def _read(self) -> None:
        """Read what has arrived, but no longer than ``_READ`` seconds."""
        until = time.monotonic() + _READ
        for index in self._sock.receive():
            now = time.monotonic()
            if index is not None:
                self._answered(index, now)
            if now >= until:
                return

    def _answered(self, index: int, now: float) -> None:
        if index in self._sent:
            sent, attempt = self._sent[index]
            self._timeout.answered(now - sent, attempt=attempt)
        elif self._targets.gave_up(index):
            self._timeout.answered_too_late()
        self._finish(index)


class _Targets:
    """Which targets are pending, finished or given up: one byte each."""

    _FINISHED, _PENDING, _GIVEN_UP = range(3)

    def __init__(self, indices: Sequence[int]) -> None:
        self._states = bytearray(max(indices, default=-1) + 1)
        for index in indices:
            self._states[index] = self._PENDING
        self.pending = len(indices)

    def gave_up(self, index: int) -> bool:
        """Return True if the target was given up and has not answered since."""
        return index < len(self._states) and self._states[index] == self._GIVEN_UP

    def finish(self, index: int, *, gave_up: bool = False) -> None:
        """Mark a target; one that was finished before stays so."""
        if index >= len(self._states) or self._states[index] == self._FINISHED:
            return
        self.pending -= self._states[index] == self._PENDING
        self._states[index] = self._GIVEN_UP if gave_up else self._FINISHED

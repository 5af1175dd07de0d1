"""Runs the readings of many agents at the same time over UDP, on one thread.

Each agent has one request on its way. What arrives is matched by request-id and address: duplicated
and late answers are ignored, those from other addresses counted as ``stray``.
"""

from __future__ import annotations

import secrets
import select
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic

from pdsno_cli.discovery.snmp.agents import count_stray
from pdsno_cli.discovery.snmp.ber import RawResponse, read_raw
from pdsno_cli.discovery.snmp.ber_write import write_request
from pdsno_cli.discovery.snmp.details.exchange import Request, Result, Task
from pdsno_cli.discovery.udp import UdpSockets, udp_sockets

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping

    from pdsno_cli.spec.topology import Snmp

WINDOW = 64  # agents read at the same time
RATE = 5000.0  # requests a second

_CANCEL_POLL = 0.05  # seconds
_BURST = 64  # datagrams read or sent in a row
_ID_BASE = 0x4000_0000  # request-ids from here on always take four bytes


@dataclass(slots=True)
class _Conversation(Generic[Result]):
    address: str
    task: Task[Result]
    request: Request
    datagram: bytes = b""
    request_id: int = 0
    tries: int = 0


class Conversations(Generic[Result]):
    """The readings of many agents; ``communities`` are those of the agents by address."""

    def __init__(
        self,
        sockets: UdpSockets,
        communities: Mapping[str, bytes],
        *,
        port: int,
        timeout: float,
        tries: int,
        rate: float = RATE,
    ) -> None:
        self._sockets = sockets
        self._communities = communities
        self._port, self._timeout, self._tries = port, timeout, tries
        self._pause = 1.0 / rate
        self._clear = time.monotonic()  # when the next request may go out
        self._next_id = _ID_BASE + secrets.randbelow(_ID_BASE)
        self._ready: deque[_Conversation[Result]] = deque()
        self._waiting: dict[int, _Conversation[Result]] = {}
        self._due: deque[tuple[float, int]] = deque()  # monotonic time and request-id, in order
        self._results: dict[str, Result] = {}
        self.stray: dict[str, dict[str, int]] = {}

    def run(
        self, tasks: Iterable[tuple[str, Task[Result]]], cancel: threading.Event, until: float
    ) -> dict[str, Result]:
        """Return the result of each task that ends before ``until`` (monotonic), by its address."""
        source = iter(tasks)
        poller = select.poll()
        for descriptor in self._sockets.filenos():
            poller.register(descriptor, select.POLLIN)
        while not cancel.is_set() and time.monotonic() < until:
            self._start(source)
            self._send()
            if not self._ready and not self._waiting:
                break
            now = time.monotonic()
            due = self._clear if self._ready else self._due[0][0] if self._due else now
            wait = max(min(due - now, _CANCEL_POLL), 0.0)
            if poller.poll(wait * 1000):
                self._receive()
            self._expire()
        for conversation in (*self._ready, *self._waiting.values()):
            conversation.task.close()
        return self._results

    def _start(self, source: Iterator[tuple[str, Task[Result]]]) -> None:
        while len(self._ready) + len(self._waiting) < WINDOW:
            found = next(source, None)
            if found is None:
                return
            address, task = found
            try:
                request = next(task)
            except StopIteration as done:
                self._results[address] = done.value
            else:
                self._enqueue(_Conversation(address, task, request))

    def _enqueue(self, conversation: _Conversation[Result]) -> None:
        """Queue the conversation's new request."""
        self._next_id = _ID_BASE + (self._next_id - _ID_BASE + 1) % _ID_BASE
        request = conversation.request
        conversation.request_id, conversation.tries = self._next_id, 0
        conversation.datagram = write_request(
            request.kind,
            self._community(conversation),
            request.names,
            once=request.once,
            rows=request.rows,
        ).with_id(self._next_id)
        self._ready.append(conversation)

    def _community(self, conversation: _Conversation[Result]) -> bytes:
        community, vlan = self._communities[conversation.address], conversation.request.vlan
        return community if vlan is None else b"%s@%d" % (community, vlan)

    def _send(self) -> None:
        now = time.monotonic()
        self._clear = max(self._clear, now - _BURST * self._pause)
        for _ in range(_BURST):
            if not self._ready or self._clear > now:
                return
            conversation = self._ready[0]
            try:
                reached = self._sockets.send(
                    conversation.datagram, conversation.address, self._port
                )
            except BlockingIOError:
                self._clear = now + 0.001  # the send buffer is full: let it drain a millisecond
                return
            self._ready.popleft()
            self._clear += self._pause
            conversation.tries += 1
            self._waiting[conversation.request_id] = conversation
            self._due.append((now + self._timeout if reached else now, conversation.request_id))

    def _receive(self) -> None:
        closed = set(self._sockets.closed())
        for conversation in list(self._waiting.values()) if closed else ():
            if (conversation.address, self._port) in closed:
                self._continue(conversation, None)
        for datagram in islice(self._sockets.receive(), _BURST):
            if datagram is None:
                continue
            data, source, _ = datagram
            response = read_raw(data)
            if response is None:
                continue
            waiting = self._waiting.get(response.request_id)
            if waiting is None:
                continue  # late or duplicated
            if waiting.address == source:
                self._continue(waiting, response)
            else:
                count_stray(self.stray, waiting.address, source)

    def _continue(self, conversation: _Conversation[Result], response: RawResponse | None) -> None:
        """Pass an answer, or None for silence, to the task; queue its next request."""
        del self._waiting[conversation.request_id]
        try:
            conversation.request = conversation.task.send(response)
        except StopIteration as done:
            self._results[conversation.address] = done.value
        else:
            self._enqueue(conversation)

    def _expire(self) -> None:
        """Send again what was not answered in time, or give it up."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, request_id = self._due.popleft()
            conversation = self._waiting.get(request_id)
            if conversation is None:
                continue
            if conversation.tries < self._tries:
                del self._waiting[request_id]
                self._ready.append(conversation)
            else:
                self._continue(conversation, None)


def converse(
    tasks: Iterable[tuple[str, Task[Result]]],
    communities: Mapping[str, bytes],
    settings: Snmp,
    cancel: threading.Event,
    *,
    until: float,
    rate: float = RATE,
) -> tuple[dict[str, Result], dict[str, dict[str, int]]]:
    """Return the results of the tasks that end before ``until``, and the stray replies.

    ``rate`` requests are sent a second, at most.
    """
    with udp_sockets(list(communities)) as sockets:
        conversations = Conversations[Result](
            sockets,
            communities,
            port=settings.port,
            timeout=settings.timeout,
            tries=settings.retries + 1,
            rate=rate,
        )
        return conversations.run(tasks, cancel, until), conversations.stray

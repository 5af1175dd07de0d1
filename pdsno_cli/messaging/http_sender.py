"""Posts the messages for one receiver over HTTP, and brings home what its answers hold."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pdsno_cli.messaging import http_wire
from pdsno_cli.messaging.backoff import Backoff
from pdsno_cli.messaging.http_wire import BATCH_BYTES, MAX_MESSAGES, PATH, Answer, Batch, Item
from pdsno_cli.model.topics import matches

if TYPE_CHECKING:
    import httpx

    from pdsno_cli.messaging.http_challenge import Identity

log = logging.getLogger(__name__)

CAPACITY = 1_000  # messages that wait for one receiver; beyond, publish returns False
CAPACITY_BYTES = 16 * BATCH_BYTES
_CONNECT = 1.0  # seconds
_ANSWER = 6.0  # seconds for an answer: longer than a receiver waits for its disk
_BUSY = 3  # answers in a row that the receiver is busy after which it counts as down
_AGAIN = 1.0  # seconds before a busy receiver is asked again, at most
_JOIN = 2.0
_ANSWER_LIMIT = 16 * BATCH_BYTES  # bytes of an answer, whoever gives it
_HEADERS = {"content-type": "application/json", "accept-encoding": "gzip", "user-agent": "pdsno"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One controller that takes messages over HTTP.

    ``address`` returns where, as ``host:port``, None where that is not known now. ``parent`` says
    that this is who hears the sender's status: its answers decide whether HTTP is up.
    """

    controller_id: str
    filters: tuple[str, ...]
    address: Callable[[], str | None]
    parent: bool

    def wants(self, topic: str) -> bool:
        """Whether it receives ``topic``."""
        return any(matches(item, topic) for item in self.filters)


class SenderListener(Protocol):
    """Whom senders tell what they find; they call it from their threads."""

    def came(self, items: Sequence[Item]) -> None:
        """Pass on the mail of an answer."""

    def answers(self, sender: HttpSender) -> None:
        """A receiver answered for the first time, or again."""

    def silent(self, sender: HttpSender, reason: str, retry_in: float) -> None:
        """A receiver does not answer; it is tried again in ``retry_in`` seconds."""


def preload() -> None:
    """Import, before forking, what a sender needs."""
    import httpx

    # What builds at first use: the TLS context, the codecs of host names.
    httpx.Client(trust_env=False, verify=False).close()  # noqa: S501 - it connects to nobody


class _NoAnswerError(Exception):
    """A receiver does not answer, or not as one."""


class HttpSender:
    """Posts to one receiver, on a thread of its own: one that hangs holds up no other.

    ``home`` is told what comes of it. A ``source`` is the IPv4 address that connections come from.
    """

    def __init__(
        self,
        receiver: Receiver,
        home: SenderListener,
        identity: Identity | None,
        source: str | None,
    ) -> None:
        self._identity = identity
        self.receiver = receiver
        self.receiver_transports: frozenset[str] | None = None
        self._home = home
        self._source = source
        self._news = threading.Condition()
        self._waiting: deque[Item] = deque()
        self._bytes = 0
        self._stopping = False
        self._farewell: Item | None = None
        self._open = not receiver.parent  # whether messages are taken; a parent is asked first
        self._thread = threading.Thread(
            target=self._run, name=f"http to {receiver.controller_id}", daemon=True
        )
        # The rest belongs to the thread.
        self._where = receiver.controller_id
        self._seen = ""
        self._more = False
        self._nonce = ""  # for the next request; used once
        self._unproven = False  # whether the last answer said so

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def give(self, item: Item) -> bool:
        """Queue one message; False when the receiver is down or too much waits."""
        with self._news:
            full = len(self._waiting) >= CAPACITY or self._bytes >= CAPACITY_BYTES
            if not self._open or full or self._stopping:
                return False
            self._waiting.append(item)
            self._bytes += len(item.data)
            self._news.notify()
            return True

    def stop(self, farewell: Item | None) -> None:
        """Have the thread post ``farewell``, where its receiver answers, and end."""
        with self._news:
            self._stopping = True
            self._farewell = farewell if self._open else None
            self._news.notify()

    def join(self) -> None:
        """Wait shortly for the end of the thread."""
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN)

    # The sender's thread from here on.

    def _run(self) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for each request
        backoff = Backoff()
        while not self._stopping:
            if not self.receiver.parent:
                with self._news:  # it is visited only when there is something for it
                    self._news.wait_for(lambda: self._waiting or self._stopping)
            reason = f"{self.receiver.controller_id}: no address for HTTP is known"
            address = self.receiver.address()
            if address is not None:
                self._where = f"{self.receiver.controller_id} at {address}"
                try:
                    with self._open_client(address) as http:
                        reason = self._visit(http, backoff)
                except Exception as exc:
                    log.exception("the HTTP sender failed")
                    reason = f"{self._where}: {exc!r}"
            if not self._stopping:
                self._close()
                wait = backoff.next()
                self._home.silent(self, reason, wait)
                self._rest(wait)

    def _open_client(self, address: str) -> httpx.Client:
        import httpx

        return httpx.Client(
            base_url=f"http://{address}",
            timeout=httpx.Timeout(_ANSWER, connect=_CONNECT),
            headers=_HEADERS,
            trust_env=False,  # a proxy is for what leaves the network
            transport=httpx.HTTPTransport(
                verify=False,  # messages are signed; loading authorities is slow
                trust_env=False,
                local_address=self._source,
            ),
        )

    def _visit(self, http: httpx.Client, backoff: Backoff) -> str:
        """Post until the receiver does not answer; return why."""
        if self.receiver.parent:
            problem = self._post(http, ())
            if problem is not None:
                return problem
        self._open = True
        self._home.answers(self)
        while True:
            batch = self._next()
            if batch is None:
                if self._farewell is not None:
                    self._post(http, (self._farewell,))
                return "stopped"
            problem = self._post(http, batch)
            if problem is not None:
                return problem
            backoff.reset()

    def _next(self) -> tuple[Item, ...] | None:
        """Wait for messages; return a batch of them, None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._stopping or self._more)
            if self._stopping:
                return None
            batch: list[Item] = []
            size = 0
            while self._waiting and len(batch) < MAX_MESSAGES:
                size += len(self._waiting[0].data)
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._bytes -= sum(len(item.data) for item in batch)
            return tuple(batch)

    def _post(self, http: httpx.Client, batch: tuple[Item, ...]) -> str | None:
        """Post one batch, again while the receiver is busy; why it does not answer, or None."""
        body = http_wire.encode(self._sealed(batch))
        headers = {}
        if len(body) > http_wire.WORTH_GZIP:
            body, headers = http_wire.compress(body), {"content-encoding": "gzip"}
        status, text = 503, b""
        for _ in range(_BUSY):
            try:
                status, text = self._ask(http, body, headers)
            except _NoAnswerError as exc:
                return f"{self._where}: {exc}"
            if status != 503 or self._stopping:
                break
            self._rest(random.uniform(0.1, _AGAIN))  # noqa: S311 - jitter is no secret
        if status == 200:
            return self._take(text)
        if status in (400, 413):
            # Posting it again would not help; its receiver's silence has it sent anew.
            log.error("%s refuses %d messages: %r", self._where, len(batch), text[:200])
            return None
        return f"{self._where}: answers with HTTP {status}"

    def _sealed(self, batch: tuple[Item, ...]) -> Batch:
        """Return a request with the proof of whose it is, as far as that is possible."""
        who, nonce, self._nonce = self._identity, self._nonce, ""
        if who is None:
            return Batch(messages=batch, seen=self._seen)
        return Batch(
            messages=batch,
            seen=self._seen,
            sender=who.controller_id,
            nonce=nonce,
            proof=who.prove(self.receiver.controller_id, nonce, self._seen),
        )

    def _ask(self, http: httpx.Client, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body of the answer; _NoAnswerError, saying why, when there is none."""
        import httpx

        began = time.monotonic()
        try:
            with http.stream("POST", PATH, content=body, headers=headers) as response:
                gzip = response.headers.get("content-encoding") == "gzip"
                answer = http_wire.Inflater(_ANSWER_LIMIT, gzip=gzip)
                for piece in response.iter_raw():
                    answer.feed(piece)
                    if time.monotonic() - began > _ANSWER:
                        raise _NoAnswerError("the answer does not end")
                return response.status_code, answer.close()
        except http_wire.TooLargeError as exc:
            raise _NoAnswerError("the answer is too large") from exc
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
            raise _NoAnswerError(str(exc) or type(exc).__name__) from exc

    def _rest(self, seconds: float) -> None:
        """Wait, not longer than until the end."""
        with self._news:
            self._news.wait_for(lambda: self._stopping, seconds)

    def _take(self, text: bytes) -> str | None:
        try:
            answer: Answer = http_wire.decode_answer(text)
        except ValueError as exc:
            return f"{self._where}: the answer makes no sense: {exc}"
        if answer.controller != self.receiver.controller_id:
            return f"{self._where}: {answer.controller!r} answers there"
        self.receiver_transports = frozenset(answer.links)
        # Without a good proof the mail stays there: it is fetched with the nonce that came instead.
        missed = bool(answer.nonce) and not answer.proven
        self._seen, self._nonce = answer.seen, answer.nonce
        self._more = answer.more or (missed and not self._unproven)
        self._unproven = missed
        self._home.came(answer.messages)
        return None

    def _close(self) -> None:
        """Take nothing more; what waits is kept by its sender where it must not be lost."""
        with self._news:
            self._open = not self.receiver.parent
            self._waiting.clear()
            self._bytes = 0
            self._more = False

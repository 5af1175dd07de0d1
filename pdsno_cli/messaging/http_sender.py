"""Posts the messages for one receiver over HTTP, and receives the messages in its answers."""

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

CAPACITY = 1_000  # queued messages of one receiver, beyond which publish returns False
CAPACITY_BYTES = 16 * BATCH_BYTES
_CONNECT_TIMEOUT = 1.0  # seconds
_ANSWER_TIMEOUT = 6.0  # seconds: longer than a receiver waits for its disk
_BUSY = 3  # busy answers in a row after which a receiver counts as down
_BUSY_DELAY = 1.0  # most seconds before the next request to a busy receiver
_JOIN = 2.0
_ANSWER_LIMIT = 16 * BATCH_BYTES  # bytes of an answer
_HEADERS = {"content-type": "application/json", "accept-encoding": "gzip", "user-agent": "pdsno"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReceiver:
    """One controller that receives messages over HTTP.

    ``address`` returns its ``host:port``, None while that is unknown. A ``parent`` receives the
    sender's status: HTTP is up while it answers.
    """

    controller_id: str
    filters: tuple[str, ...]
    address: Callable[[], str | None]
    parent: bool

    def wants(self, topic: str) -> bool:
        """Return True if it receives ``topic``."""
        return any(matches(item, topic) for item in self.filters)


class SenderListener(Protocol):
    """The callbacks of an ``HttpSender``, called on its thread."""

    def on_messages(self, items: Sequence[Item]) -> None:
        """Called with the messages of an answer."""

    def on_answer(self, sender: HttpSender) -> None:
        """Called when a receiver answers, for the first time or again."""

    def on_failure(self, sender: HttpSender, reason: str, retry_in: float) -> None:
        """Called when a receiver does not answer; the next try is in ``retry_in`` seconds."""


def preload() -> None:
    """Import, before forking, what a sender needs."""
    import httpx

    # Objects that are built at first use: the TLS context, the codecs of host names.
    httpx.Client(trust_env=False, verify=False).close()  # noqa: S501 - it never connects


class _NoAnswerError(Exception):
    """A receiver gave no answer, or an invalid one."""


class HttpSender:
    """Posts to one receiver, on a thread of its own, so that a hanging receiver delays no other.

    A ``source`` is the IPv4 address that connections come from.
    """

    def __init__(
        self,
        receiver: HttpReceiver,
        listener: SenderListener,
        identity: Identity | None,
        source: str | None,
    ) -> None:
        self._identity = identity
        self.receiver = receiver
        self.receiver_transports: frozenset[str] | None = None
        self._listener = listener
        self._source = source
        self._changed = threading.Condition()
        self._queue: deque[Item] = deque()
        self._bytes = 0
        self._stopping = False
        self._farewell: Item | None = None
        self._accepting = not receiver.parent  # from a parent only after its first answer
        self._thread = threading.Thread(
            target=self._run, name=f"http to {receiver.controller_id}", daemon=True
        )
        # The rest is owned by the thread.
        self._where = receiver.controller_id
        self._seen = ""
        self._more = False
        self._nonce = ""  # for the next request
        self._unproven = False  # True if the last answer rejected the proof

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def enqueue(self, item: Item) -> bool:
        """Queue one message; return False if the receiver is down or the queue is full."""
        with self._changed:
            full = len(self._queue) >= CAPACITY or self._bytes >= CAPACITY_BYTES
            if not self._accepting or full or self._stopping:
                return False
            self._queue.append(item)
            self._bytes += len(item.data)
            self._changed.notify()
            return True

    def stop(self, farewell: Item | None) -> None:
        """Make the thread post ``farewell``, if the receiver answers, and end."""
        with self._changed:
            self._stopping = True
            self._farewell = farewell if self._accepting else None
            self._changed.notify()

    def join(self) -> None:
        """Wait shortly for the end of the thread."""
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN)

    # Sender thread from here on.

    def _run(self) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # otherwise it logs each request
        backoff = Backoff()
        while not self._stopping:
            if not self.receiver.parent:
                with self._changed:  # it is connected to only when there is a message for it
                    self._changed.wait_for(lambda: self._queue or self._stopping)
            reason = f"{self.receiver.controller_id}: its HTTP address is unknown"
            address = self.receiver.address()
            if address is not None:
                self._where = f"{self.receiver.controller_id} at {address}"
                try:
                    with self._open_client(address) as http:
                        reason = self._serve(http, backoff)
                except Exception as exc:
                    log.exception("the HTTP sender failed")
                    reason = f"{self._where}: {exc!r}"
            if not self._stopping:
                self._drop_queue()
                wait = backoff.next()
                self._listener.on_failure(self, reason, wait)
                self._sleep(wait)

    def _open_client(self, address: str) -> httpx.Client:
        import httpx

        return httpx.Client(
            base_url=f"http://{address}",
            timeout=httpx.Timeout(_ANSWER_TIMEOUT, connect=_CONNECT_TIMEOUT),
            headers=_HEADERS,
            trust_env=False,  # proxies are for traffic that leaves the network
            transport=httpx.HTTPTransport(
                verify=False,  # plain HTTP: messages are signed; loading CA certificates is slow
                trust_env=False,
                local_address=self._source,
            ),
        )

    def _serve(self, http: httpx.Client, backoff: Backoff) -> str:
        """Post batches until the receiver fails to answer; return the reason."""
        if self.receiver.parent:
            problem = self._post(http, ())
            if problem is not None:
                return problem
        self._accepting = True
        self._listener.on_answer(self)
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
        """Wait for messages and return a batch; None once stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping or self._more)
            if self._stopping:
                return None
            batch: list[Item] = []
            size = 0
            while self._queue and len(batch) < MAX_MESSAGES:
                size += len(self._queue[0].data)
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._queue.popleft())
            self._bytes -= sum(len(item.data) for item in batch)
            return tuple(batch)

    def _post(self, http: httpx.Client, batch: tuple[Item, ...]) -> str | None:
        """Post one batch, repeatedly while the receiver is busy; return the failure, or None."""
        body = http_wire.encode(self._batch(batch))
        headers = {}
        if len(body) > http_wire.WORTH_GZIP:
            body, headers = http_wire.compress(body), {"content-encoding": "gzip"}
        status, text = 503, b""
        for _ in range(_BUSY):
            try:
                status, text = self._request(http, body, headers)
            except _NoAnswerError as exc:
                return f"{self._where}: {exc}"
            if status != 503 or self._stopping:
                break
            self._sleep(random.uniform(0.1, _BUSY_DELAY))  # noqa: S311 - jitter is no secret
        if status == 200:
            return self._handle(text)
        if status in (400, 413):
            # A repetition would not help; without an acknowledgement the messages are resent later.
            log.error("%s refused %d messages: %r", self._where, len(batch), text[:200])
            return None
        return f"{self._where}: answered with HTTP {status}"

    def _batch(self, batch: tuple[Item, ...]) -> Batch:
        """Return a request, with a proof of identity if there is a nonce for it."""
        identity, nonce, self._nonce = self._identity, self._nonce, ""
        if identity is None:
            return Batch(messages=batch, seen=self._seen)
        return Batch(
            messages=batch,
            seen=self._seen,
            sender=identity.controller_id,
            nonce=nonce,
            proof=identity.prove(self.receiver.controller_id, nonce, self._seen),
        )

    def _request(
        self, http: httpx.Client, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Return status and body of the answer; _NoAnswerError with the reason if there is none."""
        import httpx

        began = time.monotonic()
        try:
            with http.stream("POST", PATH, content=body, headers=headers) as response:
                gzip = response.headers.get("content-encoding") == "gzip"
                answer = http_wire.Inflater(_ANSWER_LIMIT, gzip=gzip)
                for piece in response.iter_raw():
                    answer.feed(piece)
                    if time.monotonic() - began > _ANSWER_TIMEOUT:
                        raise _NoAnswerError("the answer does not end")
                return response.status_code, answer.close()
        except http_wire.TooLargeError as exc:
            raise _NoAnswerError("the answer is too large") from exc
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
            raise _NoAnswerError(str(exc) or type(exc).__name__) from exc

    def _sleep(self, seconds: float) -> None:
        """Wait for ``seconds``, or until stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def _handle(self, text: bytes) -> str | None:
        try:
            answer: Answer = http_wire.decode_answer(text)
        except ValueError as exc:
            return f"{self._where}: invalid answer: {exc}"
        if answer.controller != self.receiver.controller_id:
            return f"{self._where}: {answer.controller!r} answers at this address"
        self.receiver_transports = frozenset(answer.links)
        # Without a valid proof the messages stay queued there: fetch them with the new nonce.
        missed = bool(answer.nonce) and not answer.proven
        self._seen, self._nonce = answer.seen, answer.nonce
        self._more = answer.more or (missed and not self._unproven)
        self._unproven = missed
        self._listener.on_messages(answer.messages)
        return None

    def _drop_queue(self) -> None:
        """Stop accepting, and drop the queue: durable messages stay in the outbox."""
        with self._changed:
            self._accepting = not self.receiver.parent
            self._queue.clear()
            self._bytes = 0
            self._more = False

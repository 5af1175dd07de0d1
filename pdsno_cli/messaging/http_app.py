"""The two endpoints of an HTTP receiver (FastAPI): messages and health.

Imported only at the first connection: FastAPI is large, and most runs never need it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pdsno_cli.messaging import http_wire
from pdsno_cli.messaging.http_wire import MAX_MESSAGES, PATH, Answer, Batch, Fault, TooLargeError
from pdsno_cli.messaging.transport import Arrival

if TYPE_CHECKING:
    from pdsno_cli.messaging.http_server import HttpIngress
    from pdsno_cli.messaging.poll_queues import PollResult

COMMIT_WAIT = 3.0  # seconds for a batch to be committed before the answer is 503
ACK_WAIT = 0.05  # seconds for the acknowledgement of a committed batch to be queued
READ_WAIT = 10.0  # seconds for a body to arrive
_JSON = "application/json"


def make_app(ingress: HttpIngress) -> FastAPI:
    """Return the application of one controller."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post(PATH)
    async def messages(request: Request) -> Response:
        try:
            async with asyncio.timeout(READ_WAIT):
                batch = await _read(request, ingress.max_body)
        except TimeoutError:
            return _fault(408, f"the body did not arrive within {READ_WAIT:g} s")
        except TooLargeError:
            return _fault(413, f"the body is over {ingress.max_body} bytes")
        except ClientDisconnect:
            return _fault(400, "the body is truncated")
        except ValueError as exc:
            return _fault(400, str(exc))
        if len(batch.messages) > MAX_MESSAGES:
            return _fault(413, f"{len(batch.messages)} messages: send at most {MAX_MESSAGES}")
        return await _receive(
            ingress, batch, gzip="gzip" in request.headers.get("accept-encoding", "")
        )

    @app.get("/healthz")
    async def health() -> Response:
        report = ingress.health()
        status = 503 if report.transport is None else 200
        return Response(http_wire.encode(report), status, media_type=_JSON)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, exc: HTTPException) -> Response:
        return _fault(exc.status_code, f"{exc.detail}: POST {PATH} or GET /healthz")

    return app


async def _read(request: Request, limit: int) -> Batch:
    """Return the batch of a request; ValueError or TooLargeError for an invalid one."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", "gzip"):
        raise ValueError(f"content encoding {encoding!r} is not supported: use gzip or none")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLargeError
    body = http_wire.Inflater(limit, gzip=encoding == "gzip")
    async for piece in request.stream():
        body.feed(piece)
    return http_wire.decode_batch(body.close())


async def _receive(ingress: HttpIngress, batch: Batch, *, gzip: bool) -> Response:
    """Pass a batch to the controller and answer once it is committed."""
    wanted = [item for item in batch.messages if ingress.receives(item.topic)]
    committed = _Signal(len(wanted))

    proven = ingress.nonces.consume(batch.sender, batch.nonce, batch.seen, batch.proof)

    def deliver() -> str | None:
        # First the queue: the acknowledgement must find it.
        sender = ingress.queues.register(wanted, batch.sender if proven else None)
        for item in wanted:
            ingress.on_message(Arrival(item.topic, item.data.encode(), release=committed.count))
        return sender

    if not wanted:
        sender = deliver()
    else:
        # On another thread: it blocks while the controller's mailbox is full.
        sender = await run_in_threadpool(deliver)
        if not await committed.wait(COMMIT_WAIT):
            busy = _fault(503, "not committed in time: send it again")
            busy.headers["retry-after"] = "1"
            return busy
    if sender is None:
        polled = None
    elif any(ingress.acknowledges(item.topic) for item in wanted):
        polled = await _poll_soon(ingress, sender, batch.seen)
    else:
        polled = ingress.queues.collect(sender, batch.seen)
    answer = Answer(
        controller=ingress.controller_id,
        accepted=len(wanted),
        links=ingress.transports(),
        messages=() if polled is None else polled.items,
        seen=batch.seen if polled is None else polled.seen,
        more=polled is not None and polled.more,
        nonce=ingress.nonces.issue(batch.sender),
        proven=proven,
    )
    body = http_wire.encode(answer)
    headers = {}
    if gzip and len(body) > http_wire.WORTH_GZIP:
        body, headers = http_wire.compress(body), {"content-encoding": "gzip"}
    return Response(body, media_type=_JSON, headers=headers)


async def _poll_soon(ingress: HttpIngress, sender: str, seen: str) -> PollResult:
    """Return a client's messages, with the acknowledgement that is about to be queued."""
    queued = _Signal(1)
    ingress.queues.watch(sender, queued.count)
    await queued.wait(ACK_WAIT)
    ingress.queues.watch(sender, None)
    return ingress.queues.collect(sender, seen)


def _fault(status: int, text: str) -> Response:
    return Response(http_wire.encode(Fault(text)), status, media_type=_JSON)


class _Signal:
    """Set once counted ``times`` times, from any thread."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def count(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        with suppress(RuntimeError):  # the server has stopped meanwhile
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """Wait for ``seconds`` at most. Return True if it is set."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

"""The HTTP receiver's two endpoints (FastAPI): messages in, and whether the controller works.

Imported only once somebody connects: FastAPI is large, and most runs never need it.
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
    from pdsno_cli.messaging.http_server import AppContext
    from pdsno_cli.messaging.poll_queues import PollResult

COMMIT_WAIT = 3.0  # seconds for a batch to be committed before its sender is asked to come again
MAIL_WAIT = 0.05  # seconds for the acknowledgement of what was committed to be ready
READ_WAIT = 10.0  # seconds for a body to come
_JSON = "application/json"


def make_app(context: AppContext) -> FastAPI:
    """Return the application of one controller."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post(PATH)
    async def messages(request: Request) -> Response:
        try:
            async with asyncio.timeout(READ_WAIT):
                batch = await _read(request, context.max_body)
        except TimeoutError:
            return _fault(408, f"the body did not come within {READ_WAIT:g} s")
        except TooLargeError:
            return _fault(413, f"the body is over {context.max_body} bytes")
        except ClientDisconnect:
            return _fault(400, "the body breaks off")
        except ValueError as exc:
            return _fault(400, str(exc))
        if len(batch.messages) > MAX_MESSAGES:
            return _fault(413, f"{len(batch.messages)} messages: send at most {MAX_MESSAGES}")
        return await _take(
            context, batch, gzip="gzip" in request.headers.get("accept-encoding", "")
        )

    @app.get("/healthz")
    async def health() -> Response:
        healthy, report = context.health()
        return Response(http_wire.encode(report), 200 if healthy else 503, media_type=_JSON)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, exc: HTTPException) -> Response:
        return _fault(exc.status_code, f"{exc.detail}: POST {PATH} or GET /healthz")

    return app


async def _read(request: Request, limit: int) -> Batch:
    """Return the batch of a request; ValueError or TooLargeError when there is none."""
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


async def _take(context: AppContext, batch: Batch, *, gzip: bool) -> Response:
    """Hand a batch to the controller and answer once it is committed."""
    wanted = [item for item in batch.messages if context.receives(item.topic)]
    committed = _Signal(len(wanted))

    proven = context.nonces.take(batch.sender, batch.nonce, batch.seen, batch.proof)

    def hand_over() -> str | None:
        # First whose it is: the acknowledgement must find somebody who waits for it.
        sender = context.queues.visit(wanted, batch.sender if proven else None)
        for item in wanted:
            context.on_message(Arrival(item.topic, item.data.encode(), release=committed.give))
        return sender

    if not wanted:
        sender = hand_over()
    else:
        # On a thread: it waits where the controller's mailbox is full.
        sender = await run_in_threadpool(hand_over)
        if not await committed.wait(COMMIT_WAIT):
            busy = _fault(503, "not committed in time: send it again")
            busy.headers["retry-after"] = "1"
            return busy
    if sender is None:
        mail = None
    elif any(context.acknowledges(item.topic) for item in wanted):
        mail = await _mail_soon(context, sender, batch.seen)
    else:
        mail = context.queues.collect(sender, batch.seen)
    answer = Answer(
        controller=context.controller_id,
        accepted=len(wanted),
        links=context.transports(),
        messages=() if mail is None else mail.items,
        seen=batch.seen if mail is None else mail.seen,
        more=mail is not None and mail.more,
        nonce=context.nonces.give(batch.sender),
        proven=proven,
    )
    body = http_wire.encode(answer)
    headers = {}
    if gzip and len(body) > http_wire.WORTH_GZIP:
        body, headers = http_wire.compress(body), {"content-encoding": "gzip"}
    return Response(body, media_type=_JSON, headers=headers)


async def _mail_soon(context: AppContext, sender: str, seen: str) -> PollResult:
    """Return a visitor's mail, with the acknowledgement that is about to be written."""
    written = _Signal(1)
    context.queues.watch(sender, written.give)
    await written.wait(MAIL_WAIT)
    context.queues.watch(sender, None)
    return context.queues.collect(sender, seen)


def _fault(status: int, text: str) -> Response:
    return Response(http_wire.encode(Fault(text)), status, media_type=_JSON)


class _Signal:
    """Set once it was given so many times, from any thread."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def give(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        with suppress(RuntimeError):  # the server has ended meanwhile
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether it is set."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

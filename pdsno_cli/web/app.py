"""The routes of the page (Starlette): its files, and what it shows as JSON below ``/api``.

Imported by the command alone, when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pdsno_cli.model.errors import UsageError
from pdsno_cli.web.answers import UNAVAILABLE, Answer, answer, failure
from pdsno_cli.web.assets import assets
from pdsno_cli.web.devices import asked_device, device, devices
from pdsno_cli.web.events import events
from pdsno_cli.web.guard import Guard
from pdsno_cli.web.network import NetworkReader, drawn_map
from pdsno_cli.web.shared import READ_WAIT, Shared, Threads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from pdsno_cli.web.assets import Asset
    from pdsno_cli.web.plane import Plane

    Endpoint = Callable[[Request], Awaitable[Response]]

MAX_QUERY = 2_000  # bytes of a query string
MAX_DIGITS = 18  # of a number: it fits into the 64 bits of a store's


def make_app(
    plane: Plane, *, token: str, cookie: str, names: Iterable[str], codes: Iterable[str]
) -> ASGIApp:
    """Return the application; the keywords are those of ``Guard``. Needs a running event loop."""
    threads = Threads()
    network = NetworkReader(plane)

    def shared(path: str, read: Callable[[], dict[str, Any]], keep: float) -> Route:
        reading = Shared(threads, lambda: answer(plane.name, read), keep=keep)
        return Route(path, _bounded(plane.name, lambda _: reading.get()), methods=["GET"])

    def single(
        path: str, read: Callable[[QueryParams], dict[str, Any]], method: str = "GET"
    ) -> Route:
        def get(request: Request) -> Awaitable[Answer]:
            return threads.call(lambda: answer(plane.name, lambda: read(request.query_params)))

        return Route(path, _bounded(plane.name, get), methods=[method])

    app = Starlette(
        routes=[
            *(Route(path, _file(asset), methods=["GET"]) for path, asset in assets().items()),
            shared("/api/overview", plane.overview, 0.8),
            shared("/api/devices", lambda: devices(plane), 2.0),
            shared("/api/map", lambda: drawn_map(plane, network), 5.0),
            single("/api/events", lambda words: events(plane, _number(words.get("after", "0")))),
            single("/api/device", lambda words: device(plane, network, *_device_named(words))),
            single(
                "/api/device/ask", lambda words: asked_device(plane, *_device_named(words)), "POST"
            ),
        ],
        exception_handlers={HTTPException: _refused},
    )
    return Guard(app, token=token, cookie=cookie, names=names, codes=codes)


def _device_named(words: QueryParams) -> tuple[str, str | None]:
    name = words.get("name")
    if not name:
        raise UsageError("no device is named: ask for ?name=ADDRESS")
    return name, words.get("local")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise UsageError(f"invalid number {text[:MAX_DIGITS]!r}: ask for ?after=NUMBER")
    return int(text)


def _file(asset: Asset) -> Endpoint:
    async def serve(_: Request) -> Response:
        return Response(asset.text, media_type=asset.media_type)

    return serve


def _bounded(name: str, get: Callable[[Request], Awaitable[Answer]]) -> Endpoint:
    """Return an endpoint that answers within ``READ_WAIT``, with 304 where the browser has it."""

    async def serve(request: Request) -> Response:
        if len(request.url.query) > MAX_QUERY:
            return PlainTextResponse(f"the query is over {MAX_QUERY} bytes\n", 414)
        try:
            found = await get(request)
        except TimeoutError:
            found = failure(name, UNAVAILABLE, f"no answer within {READ_WAIT:g} s; still waiting")
        headers = {"etag": found.etag}
        if found.status == 200 and request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.body, found.status, headers, media_type="application/json")

    return serve


async def _refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return PlainTextResponse(f"{exc.detail}\n", exc.status_code)

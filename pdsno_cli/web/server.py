"""Serves the page until Ctrl-C: the listening socket, its address, and uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from pdsno_cli.messaging.http_bounds import bounded
from pdsno_cli.model.errors import OperationError, UsageError
from pdsno_cli.web.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.types import ASGIApp

    from pdsno_cli.web.plane import Plane

_MOST = 64  # connections; a browser opens six
_BACKLOG = 64
_KEEP_ALIVE = 30  # seconds that an idle connection is kept
_GRACE = 1  # seconds for unfinished answers at the end
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A listening socket. ``names`` are the host names by which it may be asked for."""

    socket: socket.socket
    host: str
    names: tuple[str, ...]
    loopback: bool

    @property
    def port(self) -> int:
        """The port."""
        return int(self.socket.getsockname()[1])

    def url(self, token: str) -> str:
        """Return the address of the page, with the token."""
        return f"{self._base}/?token={token}"

    def url_once(self, code: str) -> str:
        """Return the address that works once, with a code."""
        return f"{self._base}/?code={code}"

    @property
    def _base(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def listen(text: str) -> Listening:
    """Listen on ``HOST:PORT``, port 0 for a free one.

    UsageError if that is invalid, OperationError if it cannot be had.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > _MAX_PORT:
        raise UsageError(f"invalid --listen {text!r}: write HOST:PORT, as in 127.0.0.1:8080")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as exc:
        raise UsageError(f"invalid --listen {text!r}: unknown host {host!r}") from exc
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as exc:
        made.close()
        raise OperationError(f"cannot listen on {text}: {exc.strerror}") from exc
    bound = ipaddress.ip_address(str(address[0]).partition("%")[0])
    names = [host]
    if bound.is_unspecified:
        host = socket.gethostname()
        names.append(host)
    return Listening(socket=made, host=host, names=tuple(names), loopback=bound.is_loopback)


def serve(
    plane: Plane,
    listening: Listening,
    *,
    token: str,
    codes: Iterable[str],
    on_start: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM; a second one drops unfinished answers. Closes the socket."""

    async def run() -> None:
        app = make_app(
            plane,
            token=token,
            cookie=f"pdsno-web-{listening.port}",
            names=listening.names,
            codes=codes,
        )
        await _serve(app, listening, on_start)

    with contextlib.closing(listening.socket):
        asyncio.run(run())


def new_token() -> str:
    """Return 32 random hex digits."""
    return secrets.token_hex(16)


async def _serve(app: ASGIApp, listening: Listening, on_start: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=bounded(_MOST),
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
        proxy_headers=False,
    )
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # of invalid requests of strangers
    server = _Server(config)

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    on_start()
    await server.serve(sockets=[listening.socket])


class _Server(uvicorn.Server):
    """Leaves signals alone: uvicorn raises them again at the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signal."""
        yield

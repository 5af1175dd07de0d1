"""The HTTP receiver of one controller: listens from the start, loads a web server on demand.

Binding a socket is cheap. FastAPI and uvicorn take half a second and 20 MB, so they are loaded at the
first connection, or when another transport is lost and connections are to be expected.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.messaging.http_listener import Listener, most_connections
from pdsno_cli.model.errors import DiskError, OperationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import uvicorn

    from pdsno_cli.messaging.http_challenge import Nonces
    from pdsno_cli.messaging.poll_queues import PollQueues
    from pdsno_cli.messaging.transport import Arrival

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_BACKLOG = 1024  # the controllers of a region connect all at once
_KEEP_ALIVE = 120  # seconds that an idle connection is kept: longer than most heartbeats
_GRACE = 1  # seconds for unfinished answers at the end
_JOIN = 3.0
_IP_FREEBIND = 15  # linux/in.h; Python's socket module has no name for it


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``GET /healthz``: ``transport`` is the active one, ``links`` those that are up."""

    controller: str
    epoch: int
    transport: str | None
    links: tuple[str, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class HttpIngress:
    """Serves HTTP to the controllers below one controller; implements ``transport.Ingress``.

    The endpoints of ``http_app`` use it. ``receives`` returns True if a topic is for this
    controller, ``acknowledges`` if it answers a message on it by an acknowledgement. ``max_body``
    is in bytes. ``on_message`` and ``transports`` are the arguments of ``start``.
    """

    controller_id: str
    epoch: int
    server: HttpServer
    queues: PollQueues
    nonces: Nonces
    receives: Callable[[str], bool]
    acknowledges: Callable[[str], bool]
    max_body: int
    on_message: Callable[[Arrival], None] = field(init=False)
    transports: Callable[[], tuple[str, ...]] = field(init=False)
    _active: Callable[[], str | None] = field(init=False)

    def start(
        self,
        on_message: Callable[[Arrival], None],
        *,
        transports: Callable[[], tuple[str, ...]],
        active: Callable[[], str | None],
    ) -> None:
        """Listen; see ``Ingress.start``. ``on_message`` may block."""
        self.on_message, self.transports, self._active = on_message, transports, active
        self.server.start(self)

    def health(self) -> Health:
        """Return the body of ``GET /healthz``."""
        return Health(
            controller=self.controller_id,
            epoch=self.epoch,
            transport=self._active(),
            links=self.transports(),
        )

    def offer(self, topic: str, data: bytes, *, retain: bool) -> bool:
        """Queue a message for the controllers that poll; see ``Ingress.offer``."""
        return self.queues.offer(topic, data, retain=retain)

    def relay(self, topic: str, data: bytes) -> None:
        """Pass a parent's message on; see ``Ingress.relay``."""
        self.queues.relay(topic, data)

    def warm(self) -> None:
        """Load the web server; see ``Ingress.warm``."""
        self.server.warm()

    def stop(self) -> None:
        """Stop listening."""
        self.server.stop()


def preload() -> None:
    """Import, before forking, what the web server needs."""
    import uvicorn

    from pdsno_cli.messaging import http_app, http_bounds

    del uvicorn, http_app, http_bounds


class HttpServer:
    """Serves on ``host`` and ``port`` (0: a free one, written to ``address_file``)."""

    def __init__(
        self, *, host: str = LOOPBACK, port: int = 0, address_file: Path | None = None
    ) -> None:
        self._host, self._port, self._address_file = host, port, address_file
        self._socket: Listener | None = None
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._stopping = False

    @property
    def port(self) -> int:
        """The listening port, 0 before the start."""
        return 0 if self._socket is None else int(self._socket.getsockname()[1])

    def start(self, ingress: HttpIngress) -> None:
        """Listen; OperationError, naming the address, if that fails."""
        self._socket = _listen(self._host, self._port, free=self._address_file is not None)
        if self._address_file is not None:
            _write_address(self._address_file, f"{self._host}:{self.port}")
        self._reader, self._writer = socket.socketpair()
        # Nothing reads once the web server is loaded, so ``warm`` must not block.
        self._writer.setblocking(False)
        self._thread = threading.Thread(target=self._run, args=(ingress,), name="http", daemon=True)
        self._thread.start()

    def warm(self) -> None:
        """Load the web server now, since connections are to be expected."""
        if self._thread is not None:
            with suppress(OSError):
                self._writer.send(b"w")

    def stop(self) -> None:
        """Finish the answers under way, then stop listening."""
        if self._thread is None or self._socket is None:
            return
        self._stopping = True
        if self._server is not None:
            self._server.should_exit = True
        self._writer.close()
        self._thread.join(_JOIN)
        self._thread = None
        self._socket.close()
        self._socket = None
        self._reader.close()
        if self._address_file is not None:
            self._address_file.unlink(missing_ok=True)

    def _run(self, ingress: HttpIngress) -> None:
        """Wait for the first connection or ``warm``, then serve; the server's thread."""
        assert self._socket is not None
        with selectors.DefaultSelector() as first:
            first.register(self._socket, selectors.EVENT_READ)
            first.register(self._reader, selectors.EVENT_READ)
            first.select()
        if self._stopping:
            return
        try:
            import uvicorn

            from pdsno_cli.messaging.http_app import make_app
            from pdsno_cli.messaging.http_bounds import bounded

            config = uvicorn.Config(
                make_app(ingress),
                log_config=None,
                access_log=False,
                lifespan="off",
                loop="asyncio",
                http=bounded(self._socket.most),
                ws="none",
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
                server_header=False,
            )
            logging.getLogger("uvicorn").setLevel(logging.WARNING)
            self._server = uvicorn.Server(config)
            self._server.should_exit = self._stopping
            log.info("serving HTTP on %s port %d", self._host, self.port)
            self._server.run(sockets=[self._socket])
        except Exception:
            log.exception("the HTTP server failed")


def split(address: str) -> tuple[str, int]:
    """Return host, without brackets, and port of ``host:port``."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _listen(host: str, port: int, *, free: bool) -> Listener:
    try:
        return _bound(host, port, free=free)
    except OSError as exc:
        if exc.errno != errno.EADDRNOTAVAIL:
            raise OperationError(
                f"HTTP cannot be served on {host} port {port}: {exc.strerror or exc}"
            ) from exc
    # The declared address is the one that others use, as behind NAT or a container's port.
    log.info("%s is not an address of this machine: serving HTTP on all of its addresses", host)
    try:
        return _bound("", port)
    except OSError as exc:
        raise OperationError(
            f"HTTP cannot be served on port {port}: {exc.strerror or exc}"
        ) from exc


def _bound(host: str, port: int, *, free: bool = False) -> Listener:
    """Bind and listen; with ``free``, also on an address that the machine does not have now."""
    family = socket.AF_INET
    if host:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    made = Listener(family, socket.SOCK_STREAM, most_connections())
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if free and sys.platform == "linux":
            made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _write_address(path: Path, address: str) -> None:
    """Write the address atomically, readable by its user alone."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(address + "\n")
        draft.replace(path)
    except OSError as exc:
        kind = DiskError if exc.errno in (errno.ENOSPC, errno.EDQUOT) else OperationError
        raise kind(f"{path} cannot be written: {exc.strerror}") from exc

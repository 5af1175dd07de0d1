"""The control socket: one JSON request a connection, one JSON answer, for this user alone.

Who joins the bus keeps the connection: see ``bus_bridge``.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError, StateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | Conversation]]

_LIMIT = 8 * 1024 * 1024  # bytes of one answer
_LONGEST = 65_536  # bytes of a request
_PATIENCE = 30.0  # seconds a client waits for its answer, and is waited for


class ControlServer:
    """Answers on the control socket of a running topology."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen; the folder, mode 0700, keeps others out. A leftover socket is replaced.

        StateError when the socket cannot be made.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            with _short(self._path) as name:
                listener.bind(name)
            self._path.chmod(0o600)
        except OSError as exc:
            listener.close()
            raise StateError(f"{self._path} cannot be made: {exc.strerror}") from exc
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LIMIT)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for writer in self._open.values():
            writer.close()  # a conversation ends with its connection
        tasks = [task for task in self._open if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open[task] = writer
        try:
            try:
                async with asyncio.timeout(_PATIENCE):
                    line = await reader.readline()
                if len(line) > _LONGEST:
                    raise ValueError(f"it has more than {_LONGEST} bytes")  # noqa: TRY301
                answer = await self._handler(json.loads(line))
            except OperationError as exc:
                answer = {"error": str(exc)}
            except TimeoutError:
                answer = {"error": f"no request within {_PATIENCE:g} s"}
            except ConnectionError:
                raise
            # Whatever a line may hold: too deep, of the wrong types, beyond every number.
            except Exception as exc:  # noqa: BLE001
                answer = {
                    "error": f"not a request that this topology understands: "
                    f"{type(exc).__name__}: {exc}"
                }
            if not isinstance(answer, dict):
                await answer(reader, writer)
                return
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # whoever asked has gone
        finally:
            del self._open[task]
            writer.close()


def ask(path: Path, request: dict[str, Any], *, patience: float = _PATIENCE) -> dict[str, Any]:
    """Ask the running topology; UsageError when none runs, OperationError when it says no."""
    with closing(dial(path, patience)) as line:
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            data = b""
            while part := line.recv(262_144):
                data += part
        except TimeoutError as exc:
            raise OperationError(f"no answer at {path} within {patience:g} s") from exc
        except OSError as exc:
            raise OperationError(f"{path}: {exc.strerror}") from exc
    answer: dict[str, Any] = json.loads(data) if data else {"error": "the topology went down"}
    if "error" in answer:
        raise OperationError(answer["error"])
    return answer


def dial(path: Path, patience: float = _PATIENCE) -> socket.socket:
    """Connect to a control socket; UsageError when no topology runs there."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(patience)
    try:
        with _short(path) as name:
            line.connect(name)
    except (FileNotFoundError, ConnectionRefusedError) as exc:
        line.close()
        raise UsageError(
            f"this topology is not up (no answer at {path}); start it with pdsno up"
        ) from exc
    except OSError as exc:
        line.close()
        raise OperationError(f"{path}: {exc.strerror or exc}") from exc
    return line


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a name for a socket that fits into sun_path (108 bytes on Linux, unix(7))."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)

"""The control socket: one JSON request per connection, one JSON answer; for this user alone.

A client that joins the in-process bus keeps its connection: see ``bus_bridge``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError, StateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    StreamHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    Answer = dict[str, Any] | StreamHandler  # a handler takes over the connection
    Operation = Callable[[dict[str, Any]], Answer | Awaitable[Answer]]

log = logging.getLogger(__name__)

_MAX_LINE = 8 * 1024 * 1024  # bytes of a request, which may hold a topology, or of a joined client
_MAX_REQUEST = 65_536  # bytes of one without a topology
_TIMEOUT = 30.0  # seconds for a request to arrive, and for its answer


class ControlServer:
    """Answers on the control socket of a running topology."""

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], Awaitable[Answer]]) -> None:
        self._path = path
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen on a socket of mode 0600; a leftover socket is replaced.

        Raises StateError when the socket cannot be created.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            with _short(self._path) as name:
                listener.bind(name)
            self._path.chmod(0o600)
        except OSError as exc:
            listener.close()
            raise StateError(f"{self._path} cannot be created: {exc.strerror}") from exc
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_MAX_LINE)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for writer in self._open.values():
            writer.close()  # a stream handler ends with its connection
        tasks = [task for task in self._open if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open[task] = writer
        try:
            try:
                async with asyncio.timeout(_TIMEOUT):
                    line = await reader.readline()
                request = json.loads(line)
                if len(line) > _MAX_REQUEST and "topology" not in request:
                    raise ValueError(f"it has more than {_MAX_REQUEST} bytes")  # noqa: TRY301
                answer = await self._answer(request)
            except OperationError as exc:
                answer = {"error": str(exc)}
            except TimeoutError:
                answer = {"error": f"no request within {_TIMEOUT:g} s"}
            except ConnectionError:
                raise
            # A line may hold anything: nested too deeply, wrong types, huge numbers.
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
            pass  # the client is gone
        finally:
            del self._open[task]
            writer.close()


async def stream_result(
    lines: asyncio.Queue[dict[str, Any]],
    task: asyncio.Task[dict[str, Any]],
    _reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Write lines as they come, then the result of a task, which goes on if the client leaves."""
    task.add_done_callback(lambda _: lines.put_nowait({}))
    while line := await lines.get():
        writer.write(json.dumps(line).encode() + b"\n")
        await writer.drain()
    try:
        answer = task.result()
    except OperationError as exc:
        answer = {"error": str(exc)}
    except asyncio.CancelledError:
        answer = {"error": "the topology went down"}
    except Exception as exc:
        log.exception("a request failed")
        answer = {"error": f"{type(exc).__name__}: {exc}; this is a bug in pdsno, please report it"}
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def ask_for_long(
    path: Path, request: dict[str, Any], progress: Callable[[str], None], *, timeout: float
) -> dict[str, Any]:
    """Send a request that takes long, and pass on the lines of its progress; as ``ask`` else."""
    with closing(dial(path, timeout)) as line, line.makefile("rb") as lines:
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            for data in lines:
                answer: dict[str, Any] = json.loads(data)
                if "progress" not in answer:
                    if "error" in answer:
                        raise OperationError(answer["error"])
                    return answer
                progress(answer["progress"])
        except TimeoutError as exc:
            raise OperationError(f"no answer at {path} within {timeout:g} s") from exc
        except OSError as exc:
            raise OperationError(f"{path}: {exc.strerror}") from exc
    raise OperationError("the topology went down")


def ask(path: Path, request: dict[str, Any], *, timeout: float = _TIMEOUT) -> dict[str, Any]:
    """Send a request to the running topology and return its answer.

    Raises UsageError when no topology runs there, OperationError when it refuses or times out.
    """
    with closing(dial(path, timeout)) as line:
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            data = b""
            while part := line.recv(262_144):
                data += part
        except TimeoutError as exc:
            raise OperationError(f"no answer at {path} within {timeout:g} s") from exc
        except OSError as exc:
            raise OperationError(f"{path}: {exc.strerror}") from exc
    answer: dict[str, Any] = json.loads(data) if data else {"error": "the topology went down"}
    if "error" in answer:
        raise OperationError(answer["error"])
    return answer


def dial(path: Path, timeout: float = _TIMEOUT) -> socket.socket:
    """Connect to a control socket; raises UsageError when no topology runs there."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(timeout)
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
    """Yield a name of the socket that fits into sun_path (108 bytes on Linux, unix(7))."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)

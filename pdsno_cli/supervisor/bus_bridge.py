"""Bridges the in-process bus to another process, over a connection of the control socket.

After the ``join`` request, each side sends messages, one JSON line each.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.transport import Arrival, Loss, NullListener, Publication
from pdsno_cli.supervisor.control import dial

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.messaging.transport import Listener
    from pdsno_cli.supervisor.control import StreamHandler

_MAX_UNSENT = 16 * 1024 * 1024  # bytes for a client that does not read; then it is disconnected


def bridge(bus: Bus, filters: tuple[str, ...]) -> StreamHandler:
    """Return a handler that subscribes a connection of the control socket to the bus."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = BusTransport(bus, f"operator-{os.urandom(4).hex()}", filters)
        transport.start(_ConnectionListener(asyncio.get_running_loop(), writer))
        try:
            while line := await reader.readline():
                message = json.loads(line)
                data = base64.b64decode(message["data"])
                transport.publish(
                    message["topic"], data, qos=message["qos"], retain=message["retain"]
                )
        except (ValueError, KeyError, TypeError) as exc:
            writer.write(json.dumps({"error": f"not a message: {exc}"}).encode() + b"\n")
        finally:
            await asyncio.to_thread(transport.stop)

    return handle


class _ConnectionListener(NullListener):
    """Writes what a bus transport receives to a client; the bus's thread calls its methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter) -> None:
        self._loop = loop
        self._writer = writer

    def on_up(self, connection: int, session_present: bool) -> None:
        """Write that every filter is granted."""
        self._post({"up": True})

    def on_message(self, arrival: Arrival) -> None:
        """Write a message."""
        data = base64.b64encode(arrival.data).decode()
        message = {"topic": arrival.topic, "data": data, "qos": arrival.qos}
        self._post({**message, "retained": arrival.retained})
        arrival.release()

    def _post(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        self._loop.call_soon_threadsafe(self._write, line)

    def _write(self, line: bytes) -> None:
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT:
            self._writer.close()
        if not self._writer.is_closing():
            self._writer.write(line)


class BusBridgeTransport:
    """The client's end; implements ``transport.Transport``. It does not reconnect."""

    def __init__(self, control: Path, filters: tuple[str, ...]) -> None:
        self._control = control
        self._filters = filters
        self._line: socket.socket | None = None
        self._up = False
        self._writing = threading.Lock()

    def start(self, listener: Listener) -> None:
        """Join the bus; raises UsageError when no topology runs there."""
        line = self._line = dial(self._control)
        line.settimeout(None)
        self._send(line, {"op": "join", "filters": self._filters})
        threading.Thread(target=self._receive, args=(line, listener), daemon=True).start()

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Publish one message; see ``Transport.publish``."""
        if self._line is None or not self._up:
            return False
        text = base64.b64encode(data).decode()
        return self._send(self._line, {"topic": topic, "data": text, "qos": qos, "retain": retain})

    def reconnect(self, reason: str) -> None:
        """Do nothing: a local connection does not stall."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Disconnect."""
        line, self._line, self._up = self._line, None, False
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # also wakes the thread that reads
            line.close()

    def _send(self, line: socket.socket, message: dict[str, Any]) -> bool:
        try:
            with self._writing:
                line.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def _receive(self, line: socket.socket, listener: Listener) -> None:
        """Pass messages to the listener until the connection ends; runs on its own thread."""
        reason = "the topology went down"
        try:
            with line.makefile("rb") as lines:
                for text in lines:
                    message = json.loads(text)
                    if "topic" in message:
                        data = base64.b64decode(message["data"])
                        listener.on_message(
                            Arrival(message["topic"], data, message["retained"], message["qos"])
                        )
                    elif "up" in message:
                        self._up = True
                        listener.on_up(1, False)
                    else:
                        reason = message["error"]
        except OSError as exc:
            reason = exc.strerror or str(exc)
        self._up = False
        if self._line is not None:
            listener.on_down(Loss(reason=reason))

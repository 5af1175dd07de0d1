"""The way onto the in-process bus from another process: both ends of a line of the control socket.

After the request to join, each side sends JSON lines: one for each message.
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
from pdsno_cli.messaging.transport import Arrival, Loss, Publication
from pdsno_cli.supervisor.control import dial

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.messaging.transport import Alarm, Listener
    from pdsno_cli.supervisor.control import Conversation

_MOST = 16 * 1024 * 1024  # bytes that wait for a client that does not read; beyond, it is dropped


def conversation(bus: Bus, filters: tuple[str, ...]) -> Conversation:
    """Return what makes a connection to the control socket a member of the bus."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = BusTransport(bus, f"operator-{os.urandom(4).hex()}", filters)
        transport.start(_Member(asyncio.get_running_loop(), writer))
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

    return converse


class _Member:
    """Hears the bus for a client and tells it all; the bus's thread calls its methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter) -> None:
        self._loop = loop
        self._writer = writer

    def will(self, connection: int) -> None:
        """Nothing is to be said of a client that goes."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Tell that every filter is granted."""
        self._tell({"up": True})

    def on_message(self, arrival: Arrival) -> None:
        """Tell of a message."""
        data = base64.b64encode(arrival.data).decode()
        told = {"topic": arrival.topic, "data": data, "qos": arrival.qos}
        self._tell({**told, "retained": arrival.retained})
        arrival.release()

    def on_down(self, loss: Loss) -> None:
        """The bus never lets go of a member by itself, and nobody else has this member's name."""

    def on_alarm(self, alarm: Alarm) -> None:
        """The bus raises none."""

    def _tell(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        self._loop.call_soon_threadsafe(self._write, line)

    def _write(self, line: bytes) -> None:
        if self._writer.transport.get_write_buffer_size() > _MOST:
            self._writer.close()
        if not self._writer.is_closing():
            self._writer.write(line)


class BusBridgeTransport:
    """The client's end; implements ``transport.Transport``. It does not come back once lost."""

    def __init__(self, control: Path, filters: tuple[str, ...]) -> None:
        self._control = control
        self._filters = filters
        self._line: socket.socket | None = None
        self._up = False
        self._writing = threading.Lock()

    def start(self, listener: Listener) -> None:
        """Join; UsageError when no topology runs there."""
        line = self._line = dial(self._control)
        line.settimeout(None)
        self._send(line, {"op": "join", "filters": self._filters})
        threading.Thread(target=self._hear, args=(line, listener), daemon=True).start()

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Hand one message over; see ``Transport.publish``."""
        if self._line is None or not self._up:
            return False
        text = base64.b64encode(data).decode()
        return self._send(self._line, {"topic": topic, "data": text, "qos": qos, "retain": retain})

    def reconnect(self, reason: str) -> None:
        """Nothing to do: there is no connection that could be stuck."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Leave."""
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

    def _hear(self, line: socket.socket, listener: Listener) -> None:
        """Hand on what comes until the line ends; a thread of its own."""
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

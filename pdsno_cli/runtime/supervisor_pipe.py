"""The child's end of its socket to the supervisor: sends notices, one JSON document per line."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

_SEND_TIMEOUT = 2.0  # seconds that a full socket may block a controller
_STOP_TIMEOUT = 5.0  # seconds that a controller has to stop once its supervisor is gone
_decoder: msgspec.json.Decoder[Notice] = msgspec.json.Decoder(Notice)
_encoder = msgspec.json.Encoder()


def decode_notice(line: bytes) -> Notice:
    """Return the notice on one line; raises msgspec.DecodeError or ValidationError."""
    return _decoder.decode(line)


class SupervisorPipe:
    """Sends notices to the supervisor. Once it is gone or blocked, notices are dropped."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(_SEND_TIMEOUT)
        self._line: socket.socket | None = line
        self._lock = threading.Lock()

    def notice(self, notice: Notice) -> None:
        """Send a notice; from any thread."""
        with self._lock:
            if self._line is None:
                return
            try:
                self._line.sendall(_encoder.encode(notice) + b"\n")
            except OSError:
                self._line = None

    def on_close(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` on a new thread once the supervisor has closed its end.

        The process exits if it is still running five seconds later. PR_SET_PDEATHSIG does not
        cover this: the parent of a child is the fork server, which can be stuck.
        """
        line = self._line
        assert line is not None
        reader = line.dup()

        def watch() -> None:
            poll = select.poll()
            poll.register(reader, select.POLLIN)  # readable at end of file, too
            while True:
                poll.poll()
                try:
                    if not reader.recv(1024, socket.MSG_DONTWAIT):
                        break
                except BlockingIOError:
                    continue
                except OSError:
                    break
            reader.close()
            stop()
            time.sleep(_STOP_TIMEOUT)
            os._exit(1)

        threading.Thread(target=watch, name="supervisor's end", daemon=True).start()

"""The line from a child to its supervisor: notices as JSON lines over a socket."""

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

_PATIENCE = 2.0  # seconds that a full socket may hold a controller up
_FAREWELL = 5.0  # seconds that a controller without supervisor has to stop by itself
_decoder: msgspec.json.Decoder[Notice] = msgspec.json.Decoder(Notice)
_encoder = msgspec.json.Encoder()


def decode_notice(line: bytes) -> Notice:
    """Return the notice of one line."""
    return _decoder.decode(line)


class Link:
    """The child's end. A supervisor that is gone or frozen costs nothing but the notices."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(_PATIENCE)
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

    def on_end(self, gone: Callable[[], None]) -> None:
        """Call ``gone``, on a thread of its own, once the supervisor is no more.

        A process that ``gone`` does not end within a few seconds is ended. The kernel may end a
        child with its parent, but its parent is the fork server, which can be stuck.
        """
        line = self._line
        assert line is not None
        reader = line.dup()

        def watch() -> None:
            poll = select.poll()
            poll.register(reader, select.POLLIN)  # its end can be read, too
            while True:
                poll.poll()
                try:
                    if not reader.recv(1024, socket.MSG_DONTWAIT):
                        break
                except BlockingIOError:
                    continue
                except OSError:
                    break
            gone()
            time.sleep(_FAREWELL)
            os._exit(1)

        threading.Thread(target=watch, name="supervisor's end", daemon=True).start()

"""The child's end of its socket to the supervisor, one JSON document per line in both directions.

The child sends notices; the supervisor sends orders to go on with another topology.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.notices import Notice
from pdsno_cli.spec.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_READ = 262_144  # bytes read at once
_SEND_TIMEOUT = 2.0  # seconds that a full socket may block a controller
_STOP_TIMEOUT = 5.0  # seconds that a controller has to stop once its supervisor is gone
_decoder: msgspec.json.Decoder[Notice] = msgspec.json.Decoder(Notice)
_encoder = msgspec.json.Encoder()


class Reconfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """An order to go on with another topology, from which controllers are ``removed`` for good.

    With ``resync`` the controller publishes all that it has, since it has another parent now.
    The controller answers with a ReconfiguredNotice of the same ``number``.
    """

    number: int
    topology: Topology
    removed: tuple[str, ...] = ()
    resync: bool = False


_order_decoder = msgspec.json.Decoder(Reconfiguration)


def encode_order(
    number: int, topology: bytes, removed: tuple[str, ...], *, resync: bool = False
) -> bytes:
    """Return an order as one line, without its end; ``topology`` is encoded: many orders share it."""
    members = {
        "number": number,
        "topology": msgspec.Raw(topology),
        "removed": removed,
        "resync": resync,
    }
    return _encoder.encode(members)


def decode_order(line: bytes) -> Reconfiguration:
    """Return the order on one line; raises msgspec.DecodeError or ValidationError."""
    return _order_decoder.decode(line)


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

    def listen(
        self, *, reconfigure: Callable[[Reconfiguration], None], stop: Callable[[], None]
    ) -> None:
        """Call ``reconfigure`` for each order, and ``stop`` once the supervisor has closed its end.

        Both are called on a new thread.
        The process exits if it is still running five seconds later. PR_SET_PDEATHSIG does not
        cover this: the parent of a child is the fork server, which can be stuck.
        """
        line = self._line
        assert line is not None
        reader = line.dup()

        def watch() -> None:
            poll = select.poll()
            poll.register(reader, select.POLLIN)  # readable at end of file, too
            rest = bytearray()
            while True:
                poll.poll()
                try:
                    data = reader.recv(_READ, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    continue
                except OSError:
                    break
                if not data:
                    break
                rest += data
                if b"\n" in data:
                    *lines, tail = bytes(rest).split(b"\n")
                    rest = bytearray(tail)
                    for line in lines:
                        _carry_out(line, reconfigure)
            reader.close()
            stop()
            time.sleep(_STOP_TIMEOUT)
            os._exit(1)

        threading.Thread(target=watch, name="supervisor's end", daemon=True).start()


def _carry_out(line: bytes, reconfigure: Callable[[Reconfiguration], None]) -> None:
    try:
        order = decode_order(line)
    except (msgspec.DecodeError, msgspec.ValidationError):
        log.exception("an order of the supervisor cannot be read")  # it waits for the answer
        return
    reconfigure(order)

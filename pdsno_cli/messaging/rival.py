"""Who else uses a client id: what the other says of itself on its status topic."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from pdsno_cli.messaging.transport import Arrival, Publication, Transport

_PATIENCE = 3.0  # seconds within which a newcomer publishes its birth
_LOOK = 0.1  # seconds between looks at whether to give up
_LONGEST = 200  # characters of a holder that are worth showing


class Claim(NamedTuple):
    """How processes that use one client id are told apart: each publishes ``holder`` on a topic."""

    topic: str
    holder: str


class _Payload(msgspec.Struct):
    state: str = ""
    holder: str = ""


class _Message(msgspec.Struct):
    payload: _Payload


class _Ear:
    """Hears of another holder; on the network thread of the transport that asks."""

    def __init__(self, ours: str) -> None:
        self.found = threading.Event()
        self.rival = ""
        self._ours = ours

    def will(self, connection: int) -> Publication | None:
        return None

    def on_up(self, connection: int, session_present: bool) -> None:
        pass

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        try:
            said = msgspec.json.decode(arrival.data, type=_Message).payload
        except msgspec.DecodeError:
            return
        # A death that is retained is that of an earlier process, or our own will. Nothing is done
        # but to show the name, so the signature need not be looked at.
        if said.holder not in ("", self._ours) and said.state != "death":
            self.rival = "".join(c if c.isprintable() else "?" for c in said.holder[:_LONGEST])
            self.found.set()

    def on_down(self, reason: str) -> None:
        pass

    def on_fatal(self, reason: str) -> None:
        self.found.set()


def find(transport: Transport, ours: str, stopped: Callable[[], bool]) -> str:
    """Return who else publishes on the topic that ``transport`` subscribes to, "" if nobody does.

    Waits a few seconds, less once ``stopped``.
    """
    ear = _Ear(ours)
    transport.start(ear)
    deadline = time.monotonic() + _PATIENCE
    while not (ear.found.wait(_LOOK) or stopped() or time.monotonic() > deadline):
        pass
    transport.stop()
    return ear.rival

"""Who else uses a client id: what the other says of itself on the status topic of its controller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.model.printable import shown

if TYPE_CHECKING:
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication, Transport

_PATIENCE = 1.5  # seconds within which a newcomer publishes its birth
_LOOK = 0.1  # seconds between looks at whether to give up


class Rival(NamedTuple):
    """Another process: who it says it is; ``epoch`` is 0 where it did not sign with our key.

    ``heartbeat`` is the seconds between two of its status messages, 0 where it does not say.
    """

    holder: str
    epoch: int
    heartbeat: float = 0.0


class Claim(NamedTuple):
    """How processes that run as one controller are told apart: each publishes status on ``topic``.

    ``read`` returns who published a status message, None where it says nothing or is a death:
    one that is retained is that of an earlier process, or our own will.
    """

    topic: str
    holder: str
    epoch: int
    read: Callable[[str, bytes], Rival | None]

    def newer(self, rival: Rival) -> bool:
        """Return True if ``rival`` is of ours and started later, so that this process gives way.

        Its signature and its epoch prove that: what is replayed has an earlier epoch.
        """
        return (rival.epoch, rival.holder) > (self.epoch, self.holder) and rival.epoch > 0


class Witness:
    """Another client of the same broker: hears who else publishes as we do, and proves it is up.

    ``transport`` subscribes to the topic of ``claim``. Its thread calls the ``on_`` methods.
    """

    def __init__(self, transport: Transport, claim: Claim) -> None:
        self._transport = transport
        self._claim = claim
        self._found = threading.Event()
        self._rival: Rival | None = None
        self._ups = self._downs = 0

    def find(self, stopped: Callable[[], bool]) -> Rival | None:
        """Return who else publishes as this controller does, None if nobody does.

        Waits a few seconds, less once ``stopped``.
        """
        self._transport.start(self)
        deadline = time.monotonic() + _PATIENCE
        while not (self._found.wait(_LOOK) or stopped() or time.monotonic() > deadline):
            pass
        return self._rival

    @property
    def steady(self) -> bool:
        """Return True if the broker let this client in once and never let go of it."""
        return self._ups == 1 and self._downs == 0

    def close(self) -> None:
        """End the connection."""
        self._transport.stop()

    def will(self, connection: int) -> Publication | None:
        """Nobody is told of a witness that goes."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Count it."""
        self._ups += 1

    def on_message(self, arrival: Arrival) -> None:
        """Keep who else published as this controller."""
        arrival.release()
        rival = self._claim.read(arrival.topic, arrival.data)
        if rival is not None and rival.holder not in ("", self._claim.holder):
            self._rival = rival._replace(holder=shown(rival.holder))
            self._found.set()

    def on_down(self, loss: Loss) -> None:
        """Count it."""
        self._downs += 1

    def on_alarm(self, alarm: Alarm) -> None:
        """The transport that this one watches for raises its own."""

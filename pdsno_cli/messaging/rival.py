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


class _Watcher:
    """Looks for another holder; on the network thread of the transport that asks."""

    def __init__(self, claim: Claim) -> None:
        self.found = threading.Event()
        self.rival: Rival | None = None
        self._claim = claim

    def will(self, connection: int) -> Publication | None:
        return None

    def on_up(self, connection: int, session_present: bool) -> None:
        pass

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        rival = self._claim.read(arrival.topic, arrival.data)
        if rival is not None and rival.holder not in ("", self._claim.holder):
            self.rival = rival._replace(holder=shown(rival.holder))
            self.found.set()

    def on_down(self, loss: Loss) -> None:
        pass

    def on_alarm(self, alarm: Alarm) -> None:
        pass


def find(transport: Transport, claim: Claim, stopped: Callable[[], bool]) -> Rival | None:
    """Return who else publishes on the topic that ``transport`` subscribes to, None if nobody does.

    Waits a few seconds, less once ``stopped``.
    """
    watcher = _Watcher(claim)
    transport.start(watcher)
    deadline = time.monotonic() + _PATIENCE
    while not (watcher.found.wait(_LOOK) or stopped() or time.monotonic() > deadline):
        pass
    transport.stop()
    return watcher.rival

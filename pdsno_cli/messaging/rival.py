"""Who else uses a client id: what the other says of itself on the status topic of its controller."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pdsno_cli.model.printable import shown

if TYPE_CHECKING:
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication, Transport

_PATIENCE = 1.5  # seconds within which a newcomer publishes its birth
_LINE = 2_000  # bytes of a log line that are looked at
_KEPT = 20  # addresses that are kept
_LOOK = 0.1  # seconds between looks at whether to give up
_ANSWER = 2.0  # seconds within which a broker lets one more client in


# What brokers tell of connections: Mosquitto with "log_dest topic", and EMQX.
_LOGGED = re.compile(r"connected from (?P<address>\S+) as (?P<client_id>.+?) \(")
_MOSQUITTO = "$SYS/broker/log/N"
_EMQX = "$SYS/brokers/+/clients/{}/connected"


class Rival(NamedTuple):
    """Another process: who it says it is; ``epoch`` is 0 where it did not sign with our key.

    ``heartbeat`` is the seconds between two of its status messages, 0 where it does not say.
    """

    holder: str
    epoch: int
    heartbeat: float = 0.0


class _Connected(msgspec.Struct):
    """What EMQX says of a client that connects."""

    ipaddress: str


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

    ``ask`` makes a client with filters: one for the topic of ``claim``, one for what the broker may
    tell of connections as ``client_id``, on which some brokers close. Their threads call the ``on_``
    methods.
    """

    def __init__(
        self, ask: Callable[[Sequence[str]], Transport], claim: Claim, client_id: str
    ) -> None:
        self._ask = ask
        self._log = _Log(client_id)
        self._log_transport = ask((_MOSQUITTO, _EMQX.format(client_id)))
        self._transport = ask((claim.topic,))
        self._claim = claim
        self._found = threading.Event()
        self._rival: Rival | None = None
        self._ups = self._downs = 0

    def find(self, stopped: Callable[[], bool]) -> Rival | None:
        """Return who else publishes as this controller does, None if nobody does.

        Waits a few seconds, less once ``stopped``.
        """
        self._transport.start(self)
        self._log_transport.start(self._log)
        _await(self._found, _PATIENCE, stopped)
        return self._rival

    @property
    def addresses(self) -> list[str]:
        """Where clients of the id connected from, as far as the broker tells; oldest first."""
        return list(self._log.addresses)

    def outlasts(self, stopped: Callable[[], bool]) -> bool:
        """Return True if the broker lets one more client in and never let go of this one.

        A broker that ended is noticed by its clients one after the other; that this one noticed
        nothing yet proves nothing. Waits a second or two, less once ``stopped``.
        """
        if not self._steady:
            return False
        newcomer = _Newcomer()
        transport = self._ask(())
        transport.start(newcomer)
        let_in = _await(newcomer.up, _ANSWER, stopped)
        transport.stop()
        return let_in and self._steady

    @property
    def _steady(self) -> bool:
        return self._ups == 1 and self._downs == 0

    def close(self) -> None:
        """End the connection."""
        self._transport.stop()
        self._log_transport.stop()

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


def _await(event: threading.Event, seconds: float, stopped: Callable[[], bool]) -> bool:
    """Return True once ``event`` is set, False after ``seconds`` or once ``stopped``."""
    deadline = time.monotonic() + seconds
    while not event.wait(_LOOK):
        if stopped() or time.monotonic() > deadline:
            return False
    return True


class _Newcomer:
    """A client that only connects."""

    def __init__(self) -> None:
        self.up = threading.Event()

    def will(self, connection: int) -> Publication | None:
        return None

    def on_up(self, connection: int, session_present: bool) -> None:
        self.up.set()

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()

    def on_down(self, loss: Loss) -> None:
        pass

    def on_alarm(self, alarm: Alarm) -> None:
        pass


class _Log:
    """Takes in what a broker tells of connections; a broker that refuses that costs nothing."""

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self.addresses: deque[str] = deque(maxlen=_KEPT)

    def will(self, connection: int) -> Publication | None:
        return None

    def on_up(self, connection: int, session_present: bool) -> None:
        pass

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        text = arrival.data[:_LINE].decode("utf-8", "replace")
        found = _LOGGED.search(text)
        if found is not None and found["client_id"] == self._client_id:
            self.addresses.append(shown(found["address"]))
        elif arrival.topic.endswith("/connected"):
            with suppress(msgspec.DecodeError):
                self.addresses.append(shown(msgspec.json.decode(text, type=_Connected).ipaddress))

    def on_down(self, loss: Loss) -> None:
        pass

    def on_alarm(self, alarm: Alarm) -> None:
        pass

"""Observes a broker through further clients, to find out who else connects with a client id."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.messaging.transport import NullListener
from pdsno_cli.model.printable import shown

if TYPE_CHECKING:
    from pdsno_cli.messaging.client_id_owner import ClientIdClaim, ClientIdOwner
    from pdsno_cli.messaging.transport import Arrival, Loss, Transport

_BIRTH_WAIT = 1.5  # seconds within which a process that just connected publishes its birth
_LINE = 2_000  # bytes of a log line that are searched
_KEPT = 20  # addresses that are kept
_TICK = 0.1  # seconds between two checks for a stop
_CONNECT_WAIT = 2.0  # seconds within which a broker accepts one more client

# Connections as brokers log them: Mosquitto with "log_dest topic", and EMQX.
_LOGGED = re.compile(r"connected from (?P<address>\S+) as (?P<client_id>.+?) \(")
_MOSQUITTO = "$SYS/broker/log/N"
_EMQX = "$SYS/brokers/+/clients/{}/connected"


class _Connected(msgspec.Struct):
    """EMQX's report of a client that connects, as far as it is used."""

    ipaddress: str


class ClientIdProbe(NullListener):
    """Subscribes to the status topic of ``claim`` and to the broker's log of connections.

    ``make_client`` returns another client of the same broker with the given filters. The log has a
    client of its own, since some brokers close the connection on such a subscription.
    """

    def __init__(
        self,
        make_client: Callable[[Sequence[str]], Transport],
        claim: ClientIdClaim,
        client_id: str,
    ) -> None:
        self._make_client = make_client
        self._log = _ConnectionLog(client_id)
        self._log_transport = make_client((_MOSQUITTO, _EMQX.format(client_id)))
        self._transport = make_client((claim.topic,))
        self._claim = claim
        self._found = threading.Event()
        self._owner: ClientIdOwner | None = None
        self._ups = self._downs = 0

    def find(self, stopped: Callable[[], bool]) -> ClientIdOwner | None:
        """Return who else publishes as this controller, None if nobody does.

        Waits a few seconds, less once ``stopped``.
        """
        self._transport.start(self)
        self._log_transport.start(self._log)
        _wait(self._found, _BIRTH_WAIT, stopped)
        return self._owner

    @property
    def addresses(self) -> list[str]:
        """The addresses that clients with the id connected from, as logged; oldest first."""
        return list(self._log.addresses)

    def outlasts(self, stopped: Callable[[], bool]) -> bool:
        """Return True if the broker accepts one more client and never closed this one.

        Clients notice one after the other that a broker ended, so an open connection alone proves
        nothing. Waits a second or two, less once ``stopped``.
        """
        if not self._steady:
            return False
        newcomer = _Newcomer()
        transport = self._make_client(())
        transport.start(newcomer)
        accepted = _wait(newcomer.up, _CONNECT_WAIT, stopped)
        transport.stop()
        return accepted and self._steady

    @property
    def _steady(self) -> bool:
        return self._ups == 1 and self._downs == 0

    def close(self) -> None:
        """End the connections."""
        self._transport.stop()
        self._log_transport.stop()

    # The threads of the further clients call these.

    def on_up(self, connection: int, session_present: bool) -> None:
        """Count the connection."""
        self._ups += 1

    def on_message(self, arrival: Arrival) -> None:
        """Keep who else published as this controller."""
        arrival.release()
        owner = self._claim.read(arrival.topic, arrival.data)
        if owner is not None and owner.label not in ("", self._claim.label):
            self._owner = owner._replace(label=shown(owner.label))
            self._found.set()

    def on_down(self, loss: Loss) -> None:
        """Count the loss."""
        self._downs += 1


def _wait(event: threading.Event, seconds: float, stopped: Callable[[], bool]) -> bool:
    """Return True once ``event`` is set, False after ``seconds`` or once ``stopped``."""
    deadline = time.monotonic() + seconds
    while not event.wait(_TICK):
        if stopped() or time.monotonic() > deadline:
            return False
    return True


class _Newcomer(NullListener):
    """Sets ``up`` once connected."""

    def __init__(self) -> None:
        self.up = threading.Event()

    def on_up(self, connection: int, session_present: bool) -> None:
        self.up.set()


class _ConnectionLog(NullListener):
    """Collects from a broker's log the addresses that a client id connected from."""

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self.addresses: deque[str] = deque(maxlen=_KEPT)

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        text = arrival.data[:_LINE].decode("utf-8", "replace")
        found = _LOGGED.search(text)
        if found is not None and found["client_id"] == self._client_id:
            self.addresses.append(shown(found["address"]))
        elif arrival.topic.endswith("/connected"):
            with suppress(msgspec.DecodeError):
                self.addresses.append(shown(msgspec.json.decode(text, type=_Connected).ipaddress))

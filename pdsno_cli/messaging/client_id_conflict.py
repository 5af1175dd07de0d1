"""Resolves conflicts over an MQTT client id; network thread only.

A foreign client keeps the declared id, and this transport continues under a private one. Two
processes of ours that run as one controller would then both continue, so the one that was started
earlier ends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pdsno_cli.messaging import mqtt_errors
from pdsno_cli.messaging.client_id import SHORT
from pdsno_cli.messaging.client_id_probe import ClientIdProbe
from pdsno_cli.messaging.transport import Alarm, Loss

if TYPE_CHECKING:
    from pdsno_cli.messaging.client_id import ClientId
    from pdsno_cli.messaging.client_id_owner import ClientIdClaim, ClientIdOwner
    from pdsno_cli.messaging.session import Session
    from pdsno_cli.messaging.transport import Transport

log = logging.getLogger(__name__)

_CONFIRMED = 5.0  # seconds that a connection under a private id must hold to prove the conflict


class ClientIdConflict:
    """Detects that another client uses ``client_id``. ``make_client`` is as in ``ClientIdProbe``.

    A suspicion is tested by a probe: if it stays connected while this transport is closed once
    more, the broker does not flap. The alarm is raised once a connection under a private id holds,
    since a broker may also close the connection of a client that publishes what it must not.
    """

    def __init__(
        self,
        *,
        client_id: ClientId,
        session: Session,
        claim: ClientIdClaim | None,
        make_client: Callable[[Sequence[str]], Transport],
        alarm: Callable[[Alarm], None],
    ) -> None:
        self._client_id = client_id
        self._session = session
        self._claim = claim
        self._make_client = make_client
        self._alarm = alarm
        self._lock = threading.Lock()  # held while the probe changes
        self._probe: ClientIdProbe | None = None
        self._found: ClientIdOwner | None = None
        self._address = ""  # local address of the connection that was taken over
        self._own: set[str] = set()  # local addresses of this client's connections
        self._other = ""  # address of the other client, where the broker logs it
        self._announced = False

    def ended(self, held: float, stopped: Callable[[], bool]) -> tuple[bool, Loss | None]:
        """Judge a connection that ended after ``held`` seconds; this may take 4 s.

        Return True if the transport should reconnect without delay, and the final loss if this
        process must end.
        """
        session = self._session
        if session.renewed:
            return False, None
        probe = self._take_probe()
        if probe is not None:
            conflict = session.was_up and held <= SHORT and probe.outlasts(stopped)
            self._own.add(session.own_address)
            foreign = [item for item in probe.addresses if item not in self._own]
            self._other = foreign[-1] if foreign else ""
            probe.close()
            if conflict:
                self._hide()
                return True, None
        suspect = self._client_id.ended(
            was_up=session.was_up,
            held=held,
            taken_over=session.taken_over,
            refused=session.refused,
        )
        return suspect, self._investigate(stopped) if suspect else None

    def came_up(self) -> None:
        """Start a timer that ends or proves a suspicion if this connection holds."""
        self._own = {self._session.own_address, *self._own} if self._probe is not None else set()
        private = self._client_id.private and not self._announced
        if private or self._probe is not None:
            timer = threading.Timer(
                _CONFIRMED if private else SHORT, self._held, (self._session.connection,)
            )
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """End the probe."""
        probe = self._take_probe()
        if probe is not None:
            probe.close()

    def _take_probe(self) -> ClientIdProbe | None:
        with self._lock:
            probe, self._probe = self._probe, None
            return probe

    def _investigate(self, stopped: Callable[[], bool]) -> Loss | None:
        """Look for the other client; return the final loss if this process must end."""
        session, client_id, claim = self._session, self._client_id, self._claim
        if claim is None:
            self._hide()
            return None
        probe = ClientIdProbe(self._make_client, claim, client_id.declared)
        self._found = found = probe.find(stopped)
        if found is not None and found.epoch:
            probe.close()
            if claim.yields_to(found):
                return Loss(
                    reason=mqtt_errors.superseded(
                        session.where, client_id.declared, claim.label, found.label
                    )
                )
            log.warning(
                "%s: process %s also runs as %r and was started earlier; it ends",
                session.where,
                found.label,
                client_id.declared,
            )
        elif session.taken_over:
            probe.close()
            self._hide()
            self._announce(session.where)
        else:
            with self._lock:
                self._probe = probe
        return None

    def _hide(self) -> None:
        self._address = self._session.own_address
        self._client_id.hide()

    def _held(self, connection: int) -> None:
        """Check if connection number ``connection`` still holds; on a timer's thread."""
        session = self._session
        if session.connection != connection or not session.up:
            return
        self.close()
        if self._client_id.private and not self._announced:
            self._announce(session.where)

    def _announce(self, where: str) -> None:
        self._announced = True
        other = self._found.label if self._found is not None else self._other
        text = mqtt_errors.taken_over(where, self._client_id.declared, self._address, other)
        detail = {"client_id": self._client_id.declared, "broker": where}
        if self._address:
            detail["address"] = self._address
        if self._other:
            detail["other_address"] = self._other
        if self._found is not None:
            detail["other"] = self._found.label
        self._alarm(Alarm(event="client_id_taken_over", text=text, detail=detail))

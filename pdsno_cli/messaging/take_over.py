"""What a transport does when another client takes its client id away; network thread only.

A stranger gets the declared id, and this transport goes on under one that nobody else knows. Two
processes of ours that run as one controller would then both go on, so among them the one that was
started earlier gives way to the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.messaging import rival, sentences
from pdsno_cli.messaging.transport import Alarm, Loss

if TYPE_CHECKING:
    from pdsno_cli.messaging.client_id import ClientId
    from pdsno_cli.messaging.rival import Claim, Rival
    from pdsno_cli.messaging.session import Session
    from pdsno_cli.messaging.transport import Transport

log = logging.getLogger(__name__)

_CONFIRMED = 5.0  # seconds that a connection under another id holds where the first was taken over


class TakeOver:
    """Defends ``client_id``. ``ask`` makes a transport that subscribes to the topic of ``claim``."""

    def __init__(
        self,
        *,
        client_id: ClientId,
        session: Session,
        claim: Claim | None,
        ask: Callable[[Claim], Transport],
        alarm: Callable[[Alarm], None],
    ) -> None:
        self._client_id = client_id
        self._session = session
        self._claim = claim
        self._ask = ask
        self._alarm = alarm
        self._found: Rival | None = None
        self._address = ""  # that the connection which was taken over came from
        self._announced = False

    def defend(self, stopped: Callable[[], bool]) -> Loss | None:
        """Go on under another id, or return why this process gives way. Waits up to 2 s."""
        session, client_id, claim = self._session, self._client_id, self._claim
        found = None
        if claim is not None:
            found = rival.find(self._ask(claim), claim, stopped)
            if found is not None and found.epoch:
                if claim.newer(found):
                    return Loss(
                        reason=sentences.superseded(
                            session.where, client_id.declared, claim.holder, found.holder
                        )
                    )
                log.warning(
                    "%s: process %s runs as %r, too, and was started earlier; it gives way",
                    session.where,
                    found.holder,
                    client_id.declared,
                )
                return None
        client_id.hide()
        self._found, self._address = found, session.own_address
        if session.taken_over:
            self._announce(session.where)
        return None

    def came_up(self) -> None:
        """Wait whether a connection under another id holds: then the declared one is taken."""
        if self._client_id.private and not self._announced:
            timer = threading.Timer(_CONFIRMED, self._confirm, (self._session.connection,))
            timer.daemon = True
            timer.start()

    def _confirm(self, connection: int) -> None:
        session = self._session
        if session.connection == connection and session.up and not self._announced:
            self._announce(session.where)

    def _announce(self, where: str) -> None:
        self._announced = True
        other = self._found.holder if self._found is not None else ""
        text = sentences.taken_over(where, self._client_id.declared, self._address, other)
        detail = {"client_id": self._client_id.declared, "broker": where}
        if self._address:
            detail["address"] = self._address
        if other:
            detail["other"] = other
        self._alarm(Alarm(event="client_id_taken_over", text=text, detail=detail))

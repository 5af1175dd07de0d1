"""What a transport does when another client takes its client id away; network thread only.

A stranger gets the declared id, and this transport goes on under one that nobody else knows. Two
processes of ours that run as one controller would then both go on, so among them the one that was
started earlier gives way to the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pdsno_cli.messaging import sentences
from pdsno_cli.messaging.client_id import SHORT
from pdsno_cli.messaging.rival import Witness
from pdsno_cli.messaging.transport import Alarm, Loss

if TYPE_CHECKING:
    from pdsno_cli.messaging.client_id import ClientId
    from pdsno_cli.messaging.rival import Claim, Rival
    from pdsno_cli.messaging.session import Session
    from pdsno_cli.messaging.transport import Transport

log = logging.getLogger(__name__)

_CONFIRMED = 5.0  # seconds that a connection under another id holds where the first was taken over


class TakeOver:
    """Defends ``client_id``. ``ask`` makes another client of the broker, with filters.

    A suspicion is tested by another client, the witness: where it stays connected while this one is
    closed on once more, the broker does not flap. It is announced once a connection under another id
    holds, for a broker may also close on who publishes what it must not.
    """

    def __init__(
        self,
        *,
        client_id: ClientId,
        session: Session,
        claim: Claim | None,
        ask: Callable[[Sequence[str]], Transport],
        alarm: Callable[[Alarm], None],
    ) -> None:
        self._client_id = client_id
        self._session = session
        self._claim = claim
        self._ask = ask
        self._alarm = alarm
        self._lock = threading.Lock()  # held while the witness changes
        self._witness: Witness | None = None
        self._found: Rival | None = None
        self._address = ""  # that the connection which was taken over came from
        self._own: set[str] = set()  # addresses of this client's connections
        self._other = ""  # address that the other client came from, where the broker tells
        self._announced = False

    def ended(self, held: float, stopped: Callable[[], bool]) -> tuple[bool, Loss | None]:
        """Judge a connection that ended after ``held`` seconds; it may take 4 s.

        Returns whether to connect again at once, and why this process gives way, if it does.
        """
        session = self._session
        if session.renewed:
            return False, None
        witness = self._take_witness()
        if witness is not None:
            alone = session.was_up and held <= SHORT and witness.outlasts(stopped)
            self._own.add(session.own_address)
            strange = [item for item in witness.addresses if item not in self._own]
            self._other = strange[-1] if strange else ""
            witness.close()
            if alone:
                self._hide()
                return True, None
        suspect = self._client_id.ended(
            was_up=session.was_up,
            held=held,
            taken_over=session.taken_over,
            refused=session.refused,
        )
        return suspect, self._look(stopped) if suspect else None

    def came_up(self) -> None:
        """Wait whether this connection holds: then a suspicion is over, or proved."""
        self._own = {self._session.own_address, *self._own} if self._witness is not None else set()
        private = self._client_id.private and not self._announced
        if private or self._witness is not None:
            timer = threading.Timer(
                _CONFIRMED if private else SHORT, self._held, (self._session.connection,)
            )
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """End the witness."""
        witness = self._take_witness()
        if witness is not None:
            witness.close()

    def _take_witness(self) -> Witness | None:
        with self._lock:
            witness, self._witness = self._witness, None
            return witness

    def _look(self, stopped: Callable[[], bool]) -> Loss | None:
        """Look who else is there; return why this process gives way."""
        session, client_id, claim = self._session, self._client_id, self._claim
        if claim is None:
            self._hide()
            return None
        witness = Witness(self._ask, claim, client_id.declared)
        self._found = found = witness.find(stopped)
        if found is not None and found.epoch:
            witness.close()
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
        elif session.taken_over:
            witness.close()
            self._hide()
            self._announce(session.where)
        else:
            with self._lock:
                self._witness = witness
        return None

    def _hide(self) -> None:
        self._address = self._session.own_address
        self._client_id.hide()

    def _held(self, connection: int) -> None:
        """A connection may have held for a while; on a timer's thread."""
        session = self._session
        if session.connection != connection or not session.up:
            return
        self.close()
        if self._client_id.private and not self._announced:
            self._announce(session.where)

    def _announce(self, where: str) -> None:
        self._announced = True
        other = self._found.holder if self._found is not None else self._other
        text = sentences.taken_over(where, self._client_id.declared, self._address, other)
        detail = {"client_id": self._client_id.declared, "broker": where}
        if self._address:
            detail["address"] = self._address
        if self._other:
            detail["other_address"] = self._other
        if self._found is not None:
            detail["other"] = self._found.holder
        self._alarm(Alarm(event="client_id_taken_over", text=text, detail=detail))

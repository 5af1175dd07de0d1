"""Takes in what transports bring: verifies messages, commits them in groups, releases them.

One commit is dear (the disk has to confirm it) and a message is cheap, so all that has come
meanwhile is committed together. A message is released to its transport, and acknowledged to its
sender, only then.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import receives
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.messages import DiscoveryReport, Event, Summary
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.nib.marks import Position

if TYPE_CHECKING:
    from pdsno_cli.controllers.ledger import Ledger
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.nib.store import Store
    from pdsno_cli.runtime.mailbox import Mailbox
    from pdsno_cli.runtime.refused import Refused
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)

CAPACITY = 10_000  # messages that wait to be taken in; beyond, their transport waits
BATCH = 1000  # messages taken in at a time; between two batches, timers have their turn
_DURABLE = (DiscoveryReport, Summary, Event)

_Verified = tuple["Arrival", "Envelope"]
_Opened = tuple["Arrival", "Envelope | RefusedError"]


class Intake:
    """The receiving side of one controller.

    ``receive`` applies one message; RefusedError when it is not to be. ``ledger`` is that of a
    controller that commits others' streams.
    """

    def __init__(
        self,
        *,
        topology: Topology,
        controller_id: str,
        codec: Codec,
        store: Store,
        mailbox: Mailbox,
        refused: Refused,
        ledger: Ledger | None,
        receive: Callable[[Envelope], None],
    ) -> None:
        self._topology = topology
        self._controller_id = controller_id
        self._codec = codec
        self._store = store
        self._mailbox = mailbox
        self._refused = refused
        self._ledger = ledger
        self._receive = receive
        self._queue: deque[_Opened] = deque()
        self._called = False
        self._room = threading.Event()

    def put(self, arrival: Arrival) -> None:
        """Verify and queue what came; from transports' threads. Waits while there is no room.

        It is verified here so that one thread does that while the owner's waits for the disk.
        """
        try:
            opened: Envelope | RefusedError = self._codec.open(arrival.topic, arrival.data)
        except RefusedError as exc:
            opened = exc
        while len(self._queue) >= CAPACITY and not self._mailbox.closed:
            self._room.clear()
            self._room.wait(0.5)
        self._queue.append((arrival, opened))
        # Whoever drains says so first: what is appended before that look is drained too.
        if not self._called:
            self._called = True
            self._mailbox.post(self._drain)

    # The owner's thread from here on.

    def _drain(self) -> None:
        self._called = False
        queue = self._queue
        batch = [queue.popleft() for _ in range(min(len(queue), BATCH))]
        self._room.set()
        group: list[_Verified] = []
        for arrival, opened in batch:
            if not isinstance(opened, RefusedError) and isinstance(opened.payload, _DURABLE):
                group.append((arrival, opened))
                continue
            self._commit(group)
            group = []
            if isinstance(opened, RefusedError):
                self._refuse(arrival, opened)
            else:
                self._take(arrival, opened)
            arrival.release()
        self._commit(group)
        if queue and not self._called:
            self._called = True
            self._mailbox.after(0.0, self._drain)

    def _commit(self, group: list[_Verified]) -> None:
        """Apply messages in one transaction; where one of them fails, each in its own."""
        if not group:
            return
        try:
            with self._store.transaction():
                for arrival, envelope in group:
                    self._apply(arrival, envelope)
        except PdsnoError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is the message that is set aside
            if len(group) > 1:
                for item in group:
                    self._commit([item])
                return
            self._poison(*group[0], exc)
        for arrival, _ in group:
            arrival.release()

    def _take(self, arrival: Arrival, envelope: Envelope) -> None:
        """Apply a message that has no number to commit; one that fails is left as it is."""
        try:
            self._apply(arrival, envelope)
        except PdsnoError:
            raise
        except Exception:
            log.exception("%s: a message from %s failed", arrival.topic, envelope.sender_id)

    def _apply(self, arrival: Arrival, envelope: Envelope) -> None:
        try:
            self._receive(envelope)
        except RefusedError as exc:
            self._refused.count(arrival, exc)

    def _refuse(self, arrival: Arrival, refused: RefusedError) -> None:
        """Count what does not verify; what is signed but unreadable may block its stream."""
        self._refused.count(arrival, refused)
        header = refused.header
        if header is not None:
            self._put_aside(
                arrival,
                header.sender_id,
                header.stream,
                Position(header.epoch, header.seq),
                refused.detail,
            )

    def _poison(self, arrival: Arrival, envelope: Envelope, error: Exception) -> None:
        log.error("a message on %s cannot be applied", arrival.topic, exc_info=error)
        self._put_aside(
            arrival,
            envelope.sender_id,
            envelope.stream,
            Position(envelope.epoch, envelope.seq),
            f"{type(error).__name__}: {error}",
        )

    def _put_aside(
        self, arrival: Arrival, sender: str, stream: str, at: Position, reason: str
    ) -> None:
        if self._ledger is not None and receives(self._topology, self._controller_id, stream):
            self._ledger.put_aside(
                sender=sender,
                stream=stream,
                at=at,
                topic=arrival.topic,
                data=arrival.data,
                reason=reason,
            )

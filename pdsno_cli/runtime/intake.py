"""Takes in what transports bring: verifies messages, commits them in groups, releases them.

One commit is dear (the disk has to confirm it) and a message is cheap, so all that has come
meanwhile is committed together; in a flood some more is waited for, and gathered while what came
before is committed. A message is released to its transport, and acknowledged to its sender, only
when it is committed.

All of that is the owner's work, and a transport's thread only queues bytes: two threads that share
a message pass it from one processor's cache to the other's, and Python's lock with it, which costs
more than it saves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeGuard

from pdsno_cli.controllers.subscriptions import receives
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.log_limits import by_strangers
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.model.topics import CLASSES
from pdsno_cli.nib.marks import Position

if TYPE_CHECKING:
    from pdsno_cli.controllers.ledger import Ledger
    from pdsno_cli.controllers.retained import OwnRetained
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.nib.store import Store
    from pdsno_cli.runtime.mailbox import Mailbox
    from pdsno_cli.runtime.refused import Refused
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)

CAPACITY = 10_000  # messages that wait to be taken in; beyond, their transport waits
BATCH = 8000  # messages committed at a time
_STRIDE = 40  # messages verified at a time
_FLOOD = 200  # messages come at once that make a flood
_PAUSE = 0.002  # seconds between two looks whether more of it has come
_TURN = 0.25  # seconds after which a flood gives timers a turn, and a group is complete
# A tuple of types: this is asked of every message.
_DURABLE = tuple(item.payload_type for item in CLASSES.values() if item.durable)

_Opened = tuple["Arrival", "Envelope | RefusedError"]


def _is_durable(opened: Envelope | RefusedError) -> TypeGuard[Envelope]:
    return not isinstance(opened, RefusedError) and isinstance(opened.payload, _DURABLE)


class Intake:
    """The receiving side of one controller.

    ``receive`` applies one message, ``commit`` one of those that are to be committed; RefusedError
    when it is not to be. ``ledger`` is that of a controller that commits others' streams.
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
        retained: OwnRetained | None,
        receive: Callable[[Envelope], None],
        commit: Callable[[Envelope], None],
    ) -> None:
        self._topology = topology
        self._controller_id = controller_id
        self._codec = codec
        self._store = store
        self._mailbox = mailbox
        self._refused = refused
        self._ledger = ledger
        self._retained = retained
        self._receive = receive
        self._commit = commit
        self._queue: deque[Arrival] = deque()
        self._opened: deque[_Opened] = deque()  # those of them that are verified
        self._uncommitted: deque[list[Arrival]] = deque()  # by transaction
        self._failed = False  # whether any of these did
        self._called = False
        self._room = threading.Event()

    def put(self, arrival: Arrival) -> None:
        """Queue what came; from transports' threads. Waits while there is no room."""
        while len(self._queue) >= CAPACITY and not self._mailbox.closed:
            self._room.clear()
            self._room.wait(0.5)
        self._queue.append(arrival)
        # Whoever drains says so first: what is appended before that look is drained too.
        if not self._called:
            self._called = True
            self._mailbox.post(self._drain)

    # The owner's thread from here on.

    def _drain(self) -> None:
        self._called = False
        until = time.monotonic() + _TURN
        while time.monotonic() < until and self._open_some():
            arrival, opened = self._opened[0]
            if _is_durable(opened):
                self._commit_some()
                continue
            self._settle()
            self._opened.popleft()
            if isinstance(opened, RefusedError):
                self._refuse(arrival, opened)
            else:
                self._take(arrival, opened)
            arrival.release()
        if not (self._queue or self._opened):
            self._settle()
        elif not self._called:
            self._called = True
            self._mailbox.again(self._drain)

    def _open_some(self) -> bool:
        """Verify the next few messages; whether there are any.

        Few, so that they are applied, and gone, before they have left the processor's cache.
        """
        if not self._opened:
            queue = self._queue
            for _ in range(min(len(queue), _STRIDE)):
                arrival = queue.popleft()
                self._opened.append((arrival, self._open(arrival)))
            self._room.set()
        return bool(self._opened)

    def _open(self, arrival: Arrival) -> Envelope | RefusedError:
        try:
            return self._codec.open(arrival.topic, arrival.data)
        except RefusedError as exc:
            return exc

    def _commit_some(self) -> None:
        """Apply what comes next in one transaction.

        In a flood it is committed while the next is gathered, and while timers take their turn.
        Where any fails, each message that is not committed is applied in a transaction of its own.
        """
        if self._failed:
            self._commit_singly()
        group: list[Arrival] = []
        self._uncommitted.append(group)
        try:
            with self._store.transaction(ahead=True) as tx:
                tx.after(self._release)
                tx.otherwise(self._fail)
                self._gather(group)
                if len(group) >= _FLOOD:
                    tx.go_behind()
        except PdsnoError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is told of the message that fails
            self._commit_singly()

    def _settle(self) -> None:
        """See to it that all is committed that was taken in."""
        try:
            self._store.settle()
        except PdsnoError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is told of the message that fails
            self._failed = True
        if self._failed:
            self._commit_singly()

    def _release(self) -> None:
        """Release the first messages that were not committed, since they are now."""
        for arrival in self._uncommitted.popleft():
            arrival.release()

    def _fail(self) -> None:
        """Hear, whoever waited for it, that what was not committed will not be."""
        self._failed = True

    def _commit_singly(self) -> None:
        """Apply each message that was not committed in a transaction of its own."""
        self._failed = False
        while self._uncommitted:
            for arrival in self._uncommitted[0]:
                self._commit_one(arrival)
            self._release()

    def _gather(self, group: list[Arrival]) -> None:
        """Apply messages that are to be committed, for as long as such are next, into ``group``.

        Of each is kept what its release and a failure need: thousands may come at a time.
        """
        opened, until = self._opened, time.monotonic() + _TURN
        while len(group) < BATCH and (not group or time.monotonic() < until):
            if not self._open_some() and (len(group) < _FLOOD or not self._more_comes()):
                return
            while opened:
                item = opened.popleft()
                arrival, envelope = item
                if not _is_durable(envelope):
                    opened.appendleft(item)
                    return
                group.append(arrival)
                self._apply(arrival, envelope)

    def _more_comes(self) -> bool:
        """Wait a moment, in a flood, for what is under way: the more at once, the less it costs."""
        time.sleep(_PAUSE)
        return bool(self._queue)

    def _commit_one(self, arrival: Arrival) -> None:
        envelope = self._codec.open(arrival.topic, arrival.data)
        try:
            with self._store.transaction():
                self._apply(arrival, envelope)
        except PdsnoError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is the message that is set aside
            self._poison(arrival, envelope, exc)

    def _take(self, arrival: Arrival, envelope: Envelope) -> None:
        """Apply a message that has no number to commit; one that fails is left as it is."""
        try:
            try:
                self._receive(envelope)
            except RefusedError as exc:
                self._refused.count(arrival, exc)
        except PdsnoError:
            raise
        except Exception:
            log.exception(
                "%s: a message from %s failed",
                arrival.topic,
                envelope.sender_id,
                extra=by_strangers(),
            )

    def _apply(self, arrival: Arrival, envelope: Envelope) -> None:
        try:
            self._commit(envelope)
        except RefusedError as exc:
            self._refused.count(arrival, exc)

    def _refuse(self, arrival: Arrival, refused: RefusedError) -> None:
        """Count what does not verify; what is signed but unreadable may block its stream."""
        if self._retained is not None and arrival.topic == self._retained.topic:
            self._retained.seen("nothing is there" if not arrival.data else str(refused))
        if not arrival.data and self._is_retained(arrival.topic):
            return  # a retained message was cleared, as that of a controller that is gone
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

    def _is_retained(self, topic: str) -> bool:
        topics = self._topology.topics
        item = topics.class_of(topic)
        return item is not None and topics.rule(item.name).retain

    def _poison(self, arrival: Arrival, envelope: Envelope, error: Exception) -> None:
        log.error(
            "a message on %s cannot be applied",
            arrival.topic,
            exc_info=error,
            extra=by_strangers(),
        )
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

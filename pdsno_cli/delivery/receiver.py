"""Receives what transports deliver: verifies it, commits it in groups, then releases it.

fsync dominates the cost of a commit, so messages that arrive during one commit are batched into the
next (group commit). In a flood the next group is gathered while the one before is committed. An
arrival is released to its transport, and acknowledged to its sender, after its commit only.

All of this is work of the owner's thread; the threads of transports only queue. Verifying on a
second thread costs more than it saves: the threads compete for Python's lock and the caches.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TypeGuard

from pdsno_cli.delivery.state_requests import StateRequests
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.log_limits import throttled
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.model.topics import CLASSES
from pdsno_cli.nib.offsets import Offset

if TYPE_CHECKING:
    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.delivery.inbox import Inbox
    from pdsno_cli.delivery.ports import Consumer, Mailbox
    from pdsno_cli.delivery.rejections import RejectionStats
    from pdsno_cli.delivery.stream_control import StreamControl
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)

CAPACITY = 10_000  # queued arrivals; beyond, a transport's thread waits
BATCH = 8000  # messages of one group
_CHUNK = 40  # messages verified at a time
_FLOOD = 200  # messages of a group that make a flood
_PAUSE = 0.002  # seconds to wait for more of a flood
_TURN = 0.25  # seconds after which a flood gives timers a turn, and a group is complete
# A tuple of types: every message is tested for this.
_DURABLE = tuple(item.payload_type for item in CLASSES.values() if item.durable)

_Opened = tuple["Arrival", "Envelope | RefusedError"]


def _is_durable(opened: Envelope | RefusedError) -> TypeGuard[Envelope]:
    return not isinstance(opened, RefusedError) and isinstance(opened.payload, _DURABLE)


class Receiver:
    """The receiving side of one controller.

    Durable messages go to ``inbox``, acknowledgements and commands to ``control``, all others to
    ``consumer``.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        codec: Codec,
        mailbox: Mailbox,
        inbox: Inbox,
        control: StreamControl,
        consumer: Consumer,
        rejections: RejectionStats,
    ) -> None:
        self._endpoint = endpoint
        self._store = endpoint.store
        self._codec = codec
        self._mailbox = mailbox
        self._inbox = inbox
        self._state_requests = StateRequests(endpoint, inbox.request_all)
        self._control = control
        self._consumer = consumer
        self._rejections = rejections
        self._queue: deque[Arrival] = deque()
        self._opened: deque[_Opened] = deque()  # verified, not yet applied
        self._uncommitted: deque[list[Arrival]] = deque()  # one list for each open transaction
        self._failed = False  # one of these was rolled back
        self._drain_posted = False
        self._room = threading.Event()

    def put(self, arrival: Arrival) -> None:
        """Queue an arrival; from transports' threads. Waits while the queue is full."""
        while len(self._queue) >= CAPACITY and not self._mailbox.closed:
            self._room.clear()
            self._room.wait(0.5)
        self._queue.append(arrival)
        # ``_drain`` clears the flag before it looks: what is appended before that is drained too.
        if not self._drain_posted:
            self._drain_posted = True
            self._mailbox.post(self._drain)

    # The owner's thread from here on.

    def _drain(self) -> None:
        self._drain_posted = False
        until = time.monotonic() + _TURN
        while time.monotonic() < until and self._verify_some():
            arrival, opened = self._opened[0]
            if _is_durable(opened):
                self._commit_group()
                continue
            self._wait_committed()
            self._opened.popleft()
            if isinstance(opened, RefusedError):
                self._reject(arrival, opened)
            else:
                self._handle(arrival, opened)
            arrival.release()
        if not (self._queue or self._opened):
            self._wait_committed()
        elif not self._drain_posted:
            self._drain_posted = True
            self._mailbox.again(self._drain)

    def _verify_some(self) -> bool:
        """Verify the next few arrivals, if none is. Return True if a verified one is there."""
        if not self._opened:
            for _ in range(min(len(self._queue), _CHUNK)):
                arrival = self._queue.popleft()
                self._opened.append((arrival, self._verify(arrival)))
            self._room.set()
        return bool(self._opened)

    def _verify(self, arrival: Arrival) -> Envelope | RefusedError:
        try:
            return self._codec.open(arrival.topic, arrival.data)
        except RefusedError as exc:
            return exc

    def _commit_group(self) -> None:
        """Apply the durable messages that come next in one transaction.

        Where it fails, each of its messages is applied in a transaction of its own.
        """
        if self._failed:
            self._commit_singly()
        group: list[Arrival] = []
        self._uncommitted.append(group)
        try:
            with self._store.transaction(pipelined=True) as tx:
                tx.on_commit(self._release_group)
                tx.on_rollback(self._mark_failed)
                self._gather(tx, group)
                if len(group) >= _FLOOD:
                    tx.commit_async()
        except PdsnoError:
            raise
        except Exception:  # noqa: BLE001 - the message that fails alone is logged
            self._commit_singly()

    def _wait_committed(self) -> None:
        """Wait until every group is committed."""
        try:
            self._store.wait_committed()
        except PdsnoError:
            raise
        except Exception:  # noqa: BLE001 - the message that fails alone is logged
            self._failed = True
        if self._failed:
            self._commit_singly()

    def _release_group(self) -> None:
        for arrival in self._uncommitted.popleft():
            arrival.release()

    def _mark_failed(self) -> None:
        """Mark the groups as failed; called on the thread that awaited the commit."""
        self._failed = True

    def _commit_singly(self) -> None:
        """Apply each message that is not committed in a transaction of its own."""
        self._failed = False
        while self._uncommitted:
            for arrival in self._uncommitted[0]:
                self._commit_one(arrival)
            self._release_group()

    def _gather(self, tx: Transaction, group: list[Arrival]) -> None:
        """Apply durable messages while such are next, and append their arrivals to ``group``."""
        opened, until = self._opened, time.monotonic() + _TURN
        while len(group) < BATCH and (not group or time.monotonic() < until):
            if not self._verify_some() and (len(group) < _FLOOD or not self._more_arrive()):
                return
            while opened:
                arrival, envelope = opened[0]
                if not _is_durable(envelope):
                    return
                opened.popleft()
                group.append(arrival)
                self._apply(tx, arrival, envelope)

    def _more_arrive(self) -> bool:
        """Wait a moment in a flood: a larger group costs less for each message."""
        time.sleep(_PAUSE)
        return bool(self._queue)

    def _commit_one(self, arrival: Arrival) -> None:
        message = self._codec.open(arrival.topic, arrival.data)
        try:
            with self._store.transaction() as tx:
                self._apply(tx, arrival, message)
        except PdsnoError:
            raise
        except Exception as exc:
            log.exception("a message on %s cannot be applied", arrival.topic, extra=throttled())
            self._inbox.put_aside(
                sender=message.sender_id,
                stream=message.stream,
                at=Offset(message.epoch, message.seq),
                topic=arrival.topic,
                data=arrival.data,
                reason=f"{type(exc).__name__}: {exc}",
            )

    def _apply(self, tx: Transaction, arrival: Arrival, message: Envelope) -> None:
        try:
            self._inbox.accept(tx, message)
        except RefusedError as exc:
            self._rejections.count(arrival, exc)

    def _handle(self, arrival: Arrival, message: Envelope) -> None:
        """Handle a message that is not durable; a failure is logged."""
        try:
            if not self._control.handle(message):
                self._consumer.receive(message)
                self._state_requests.heard(message)
        except RefusedError as exc:
            self._rejections.count(arrival, exc)
        except PdsnoError:
            raise
        except Exception:
            log.exception(
                "%s: a message from %s failed",
                arrival.topic,
                message.sender_id,
                extra=throttled(),
            )

    def _reject(self, arrival: Arrival, refused: RefusedError) -> None:
        """Count what does not verify; a signed message that is unreadable may block its stream."""
        empty = not arrival.data
        self._consumer.rejected(arrival.topic, "nothing is there" if empty else str(refused))
        if empty and self._is_retained(arrival.topic):
            return  # a retained message was cleared, as that of a controller that is gone
        self._rejections.count(arrival, refused)
        header = refused.header
        if header is not None:
            self._inbox.put_aside(
                sender=header.sender_id,
                stream=header.stream,
                at=Offset(header.epoch, header.seq),
                topic=arrival.topic,
                data=arrival.data,
                reason=refused.detail,
            )

    def _is_retained(self, topic: str) -> bool:
        topics = self._endpoint.topology.topics
        item = topics.class_of(topic)
        return item is not None and topics.rule(item.name).retain

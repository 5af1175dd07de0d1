"""Applies each durable message once, in order: judges its number, joins fragments, records it.

An idempotent receiver: the number and the effect of a message are committed in one transaction.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.delivery.ack_scheduler import AckScheduler
from pdsno_cli.delivery.endpoint import announce, own_event
from pdsno_cli.delivery.fragments import FRAGMENTABLE, decode, encode, join
from pdsno_cli.delivery.subscriptions import receives
from pdsno_cli.model.epochs import ahead_text, is_ahead
from pdsno_cli.model.notices import CommitNotice, QuarantineNotice, WarningNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.nib.offsets import START, Offset, Verdict

if TYPE_CHECKING:
    from pdsno_cli.delivery.endpoint import Detail, Endpoint
    from pdsno_cli.delivery.ports import Consumer
    from pdsno_cli.model.messages import Command, Envelope
    from pdsno_cli.nib.inbox_table import Quarantined
    from pdsno_cli.nib.store import Transaction

log = logging.getLogger(__name__)

NOTICE_DELAY = 0.05  # seconds in which commits become one notice to the watcher


class _Group:
    """The messages accepted in one transaction, of which so many were ``reports``."""

    __slots__ = ("reports", "tx")

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.reports = 0


class Inbox:
    """The streams that one controller receives, by sender. Owner's thread only."""

    def __init__(self, endpoint: Endpoint, consumer: Consumer) -> None:
        self._endpoint = endpoint
        self._consumer = consumer
        self._acks = AckScheduler(endpoint)
        self._streams: set[str] = set()  # those seen that this controller receives
        self._incomplete = set(
            endpoint.store.incomplete_streams()
        )  # streams whose fragments are kept
        self._ahead: set[str] = set()  # senders whose epoch was announced to be in the future
        self._group: _Group | None = None  # of the last transaction
        # Since the start, for the watcher:
        self._cycles: dict[str, tuple[int, int]] = {}
        self._reports = 0
        self._duplicates = 0
        self._notice_due = False

    def start(self) -> None:
        """Show what is in quarantine from earlier."""
        if count := self._endpoint.store.count_quarantined():
            self._show_quarantine(count)

    def receives(self, stream: str) -> bool:
        """Return True if this controller commits the messages of ``stream``."""
        return receives(self._endpoint.topology, self._endpoint.spec.controller_id, stream)

    def accept(self, tx: Transaction, message: Envelope) -> None:
        """Apply a message in ``tx`` if it is the next of its stream, and record its number.

        A duplicate is dropped, and a gap is requested. RefusedError when the message is of a stream
        that this controller does not receive, or of an epoch that cannot be accepted.
        """
        sender, stream = message.sender_id, message.stream
        if self._endpoint.live.is_removed(sender, message.epoch):
            return  # neither counted nor missed: nothing of it may stay
        if stream not in self._streams:
            self._require_received(stream)
        if not tx.accept_next(sender, stream, message.epoch, message.seq) and not self._fits(
            tx, message
        ):
            return
        group = self._group_of(tx)
        if isinstance(message.payload, FRAGMENTABLE):
            whole = self._assemble(tx, message)
            if whole is None:
                return
            message = whole
            group.reports += 1
        self._consumer.apply(tx, message)

    def _require_received(self, stream: str) -> None:
        if not self.receives(stream):
            # A broker may still hold a subscription of an earlier topology for this controller.
            raise RefusedError(
                Reason.WRONG_TOPIC, f"{self._endpoint.spec.controller_id} does not receive {stream}"
            )
        self._streams.add(stream)

    def request_all(self, sender: str, stream: str) -> None:
        """Request a stream of which nothing is committed."""
        self._acks.missing(sender, stream, START)

    def _fits(self, tx: Transaction, message: Envelope) -> bool:
        """Return True, and record the number, if a message is in order though not the very next."""
        sender, stream = message.sender_id, message.stream
        number = Offset(message.epoch, message.seq)
        verdict = tx.judge(sender=sender, stream=stream, epoch=number.epoch, seq=number.seq)
        after = tx.committed(sender, stream)
        if verdict is Verdict.STALE:
            # A sender that lost its store, or was killed before it noted an acknowledgement, would
            # send this for ever.
            tx.on_commit(partial(self._acks.unfit, sender, stream, after or START))
            raise RefusedError(
                Reason.REPLAYED, f"{stream} is of epoch {message.epoch}, which is over"
            )
        self._require_believable(tx, message, after or START)
        if verdict is Verdict.DUPLICATE:
            self._duplicates += 1
            log.debug("%s %d/%d came again: dropped", stream, *number)
            tx.on_commit(partial(self._acks.committed, sender, stream, after or number))
            return False
        if not _in_order(message, verdict):
            tx.on_commit(partial(self._acks.missing, sender, stream, after or START))
            return False
        tx.advance(sender=sender, stream=stream, to=number)
        return True

    def _require_believable(self, tx: Transaction, message: Envelope, after: Offset) -> None:
        """Refuse an epoch from the future: once committed, it would make all others stale."""
        epoch, now = message.epoch, time.time()
        if not is_ahead(epoch, now, after.epoch):
            return
        sender, stream = message.sender_id, message.stream
        tx.on_commit(partial(self._acks.unfit, sender, stream, after))
        text = f"epoch {epoch} of {stream} is {ahead_text(epoch, now)}"
        if sender not in self._ahead:
            self._ahead.add(sender)
            tx.on_commit(partial(self._announce_ahead, sender, epoch, text))
        raise RefusedError(Reason.UNTIMELY, text)

    def _announce_ahead(self, sender: str, epoch: int, text: str) -> None:
        """Announce, once for each sender, that its messages are rejected."""
        detail: dict[str, Detail] = {"epoch": epoch, "why": text}
        announce(
            self._endpoint,
            own_event(self._endpoint, "epoch_ahead", "error", detail, subject=sender),
        )
        self._endpoint.watcher.notice(
            WarningNotice(
                controller_id=self._endpoint.spec.controller_id, text=f"{sender}: {text}: refused"
            )
        )

    def _assemble(self, tx: Transaction, message: Envelope) -> Envelope | None:
        """Return the message with its whole payload, None while fragments are missing."""
        payload = message.payload
        assert isinstance(payload, FRAGMENTABLE)  # as its caller has seen
        key = message.sender_id, message.stream
        if payload.snapshot and key in self._incomplete:
            tx.take_fragments(*key)  # fragments of something older
        if payload.more:
            tx.add_fragment(*key, Offset(message.epoch, message.seq), encode(payload))
            self._incomplete.add(key)
            return None
        if key not in self._incomplete:
            return message
        fragments = [decode(type(payload), data) for data in tx.take_fragments(*key)]
        tx.on_commit(partial(self._incomplete.discard, key))
        return msgspec.structs.replace(message, payload=join([*fragments, payload]))

    def skip_to(self, message: Envelope, command: Command) -> None:
        """Skip to the number of ``command``: the sender no longer has earlier messages."""
        sender, to = message.sender_id, Offset(command.epoch, command.seq)
        with self._endpoint.store.transaction() as tx:
            mark = tx.committed(sender, command.stream)
            if mark is None or mark < to:
                log.warning("%s: skipping to %d/%d", command.stream, *to)
                tx.take_fragments(sender, command.stream)
                tx.advance(sender=sender, stream=command.stream, to=to, applied=0)

    def put_aside(
        self, *, sender: str, stream: str, at: Offset, topic: str, data: bytes, reason: str
    ) -> None:
        """Put a signed message that cannot be applied into quarantine, if it is the next.

        Its stream goes on after it, so it is acknowledged as if it were applied.
        """
        if not self.receives(stream):
            return
        with self._endpoint.store.transaction() as tx:
            verdict = tx.judge(sender=sender, stream=stream, epoch=at.epoch, seq=at.seq)
            if verdict is not Verdict.NEXT and (verdict is not Verdict.UNKNOWN or at.seq != 1):
                return
            known = tx.committed(sender, stream) or START
            if is_ahead(at.epoch, time.time(), known.epoch):
                return
            tx.advance(sender=sender, stream=stream, to=at, applied=0, quarantined=1)
            tx.quarantine(
                sender=sender, stream=stream, at=at, topic=topic, reason=reason, data=data
            )
        log.error("%s %d/%d is put into quarantine: %s", stream, *at, reason)
        self._acks.committed(sender, stream, at)
        self._show_quarantine(self._endpoint.store.count_quarantined())

    def replay(self, tx: Transaction, entry: Quarantined, message: Envelope) -> None:
        """Apply a message of the quarantine, and request the sender's full state: it is old.

        RefusedError when it is a fragment.
        """
        if isinstance(message.payload, FRAGMENTABLE):
            if message.payload.more:
                raise RefusedError(Reason.UNPARSABLE, f"entry {entry.id} is a part: discard it")
            self._group_of(tx).reports += 1
        self._consumer.apply(tx, message)
        self.discard(tx, entry)

    def discard(self, tx: Transaction, entry: Quarantined) -> None:
        """Delete a message of the quarantine, and request the sender's full state."""
        tx.discard_quarantined(entry.id)
        tx.on_commit(lambda: self._show_quarantine(self._endpoint.store.count_quarantined()))
        tx.on_commit(partial(self._acks.missing, entry.sender, entry.stream, START))

    def _group_of(self, tx: Transaction) -> _Group:
        """Return the group of ``tx``, which is acknowledged and shown after the commit."""
        group = self._group
        if group is None or group.tx is not tx:
            group = self._group = _Group(tx)
            tx.on_commit(partial(self._committed, group))
        return group

    def _committed(self, group: _Group) -> None:
        for sender, stream, to, messages in group.tx.advanced:
            self._acks.committed(sender, stream, to, messages)
        if not group.reports:
            return
        self._reports += group.reports
        for local_id, cycle in group.tx.cycles.items():
            self._cycles[local_id] = cycle.epoch, cycle.cycle
        if not self._notice_due:
            self._notice_due = True
            self._endpoint.scheduler.after(NOTICE_DELAY, self._show_commits)

    def _show_commits(self) -> None:
        self._notice_due = False
        self._endpoint.watcher.notice(
            CommitNotice(
                controller_id=self._endpoint.spec.controller_id,
                cycles=dict(self._cycles),
                reports=self._reports,
                duplicates=self._duplicates,
                active=self._endpoint.store.count_active(),
            )
        )

    def _show_quarantine(self, messages: int) -> None:
        self._endpoint.watcher.notice(
            QuarantineNotice(controller_id=self._endpoint.spec.controller_id, messages=messages)
        )


def _in_order(message: Envelope, verdict: Verdict) -> bool:
    """Return True if nothing is missed when this message is applied next.

    A snapshot replaces all before it. The first message of an unknown stream may be applied where
    messages do not build upon each other.
    """
    payload = message.payload
    if isinstance(payload, FRAGMENTABLE):
        return payload.snapshot or verdict is Verdict.NEXT
    return verdict is Verdict.NEXT or (verdict is Verdict.UNKNOWN and message.seq == 1)

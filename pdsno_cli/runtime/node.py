"""One running controller: its store, transport, numbering and role, wired to one mailbox.

The thread that calls ``run`` owns everything here. The transport's thread calls the ``on_``
methods, which only post; sweeps run on a thread of their own and post their result.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from pdsno_cli.controllers.global_ import GlobalController
from pdsno_cli.controllers.local import LocalController
from pdsno_cli.controllers.ports import Context
from pdsno_cli.controllers.presence import Presence
from pdsno_cli.controllers.regional import RegionalController
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.seldom import Seldom
from pdsno_cli.messaging.sequence import Sequence
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.messages import Event
from pdsno_cli.model.notices import (
    CarriedNotice,
    StalledNotice,
    State,
    StateNotice,
    TransportsNotice,
    TransportState,
    WaitingNotice,
    WarningNotice,
)
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import SYSTEM
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.authority import entitled
from pdsno_cli.runtime.delivery import Delivery
from pdsno_cli.runtime.holder import holder
from pdsno_cli.runtime.intake import Intake
from pdsno_cli.runtime.mailbox import Mailbox
from pdsno_cli.runtime.outbox import Outbox
from pdsno_cli.runtime.outgoing import Outgoing
from pdsno_cli.runtime.progress import Progress
from pdsno_cli.runtime.refused import Refused
from pdsno_cli.runtime.renumber import epoch_beyond, renumber

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pdsno_cli.controllers.ports import Role as RolePort
    from pdsno_cli.controllers.ports import Watcher
    from pdsno_cli.messaging.failover import FailoverTransport
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.nib.marks import Position
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)
Result = TypeVar("Result")

CARRIED_EVERY = 5.0  # seconds between two looks at how much each transport carried

_ROLES: dict[Role, Callable[[Context], RolePort]] = {
    Role.GLOBAL: GlobalController,
    Role.REGIONAL: RegionalController,
    Role.LOCAL: LocalController,
}


class Node:
    """Runs one controller until it is stopped or cannot go on."""

    def __init__(
        self,
        *,
        topology: Topology,
        controller_id: str,
        key: bytes,
        store: Path | str,
        connect: Callable[[str, int], FailoverTransport],
        watcher: Watcher,
    ) -> None:
        self._spec = topology.controllers[controller_id]
        self._topology = topology
        self._key = key
        self._store_path = store
        self._connect = connect
        self._watcher = watcher
        self._mailbox = Mailbox()
        self._carried: dict[str, int] = {}
        self._states: dict[str, TransportState] = {}
        self._seldom = Seldom()
        self._connection = 0
        self._epoch = 0
        # What receivers that take no number of this epoch have committed, and the epoch to go on in.
        self._committed: dict[str, Position] = {}
        self._next_epoch = 0
        self._stopped = False
        self.fatal: str | None = None

    def run(self) -> None:
        """Run on the calling thread; ``fatal`` says afterwards why, if it was not wanted."""
        while True:
            self._committed, self._next_epoch = {}, 0
            self._run_epoch()
            if not self._next_epoch:
                break
            self._mailbox = Mailbox()
            if self._stopped:  # looked at last: a stop until then closed the mailbox before
                break
        self._state("failed" if self.fatal else "stopped", self.fatal)

    def _run_epoch(self) -> None:
        """Run from a new epoch on, until stopped or until another epoch is needed."""
        topology, spec = self._topology, self._spec
        self._connection = 0
        with closing(Store.open(self._store_path)) as store:
            self._epoch = epoch = store.begin_epoch()
            self._codec = Codec(
                self._key, topology.topics, topology.broker.max_payload, entitled(topology)
            )
            self._transport = self._connect(spec.controller_id, epoch)
            self._outgoing = Outgoing(
                sender_id=spec.controller_id,
                epoch=epoch,
                codec=self._codec,
                topics=topology.topics,
                sequence=Sequence(),
                transport=self._transport,
                store=store,
                limits=topology.outbox,
                events_topic=topology.topics.events(spec.region or SYSTEM),
            )
            self._outbox = Outbox(
                store=store,
                send=self._outgoing.carry,
                scheduler=self._mailbox,
                told=self._waiting,
            )
            self._outgoing.attach(self._outbox)
            self._store = store
            self._progress = Progress(
                standstill=self._outbox.standstill,
                carrier=self._transport,
                scheduler=self._mailbox,
                changed=self._stalled,
                patience=topology.outbox.patience,
            )
            context = Context(
                spec=spec,
                topology=topology,
                epoch=epoch,
                holder=holder(topology.name),
                store=store,
                publisher=self._outgoing,
                scheduler=self._mailbox,
                background=self,
                sweep=sweep,
                watcher=self._watcher,
                subscribe=self._transport.subscribe,
                fallen_back=lambda: self._transport.is_degraded,
            )
            self._role = _ROLES[spec.role](context)
            self._presence = Presence(context)
            self._delivery = Delivery(
                context, self._outbox, self._role, self._codec.open, self._renumber
            )
            self._intake = Intake(
                topology=topology,
                controller_id=spec.controller_id,
                codec=self._codec,
                store=store,
                mailbox=self._mailbox,
                refused=Refused(
                    controller_id=spec.controller_id,
                    watcher=self._watcher,
                    scheduler=self._mailbox,
                ),
                ledger=self._role.ledger,
                retained=self._role.retained,
                receive=self._receive,
                commit=self._role.receive,
            )
            self._state("connecting")
            self._role.start()
            self._transport.watch(lambda: self._mailbox.post(self._tell_states))
            self._transport.start(self)
            self._tell_carried()
            try:
                self._mailbox.run()
            finally:
                self._end_role()
                self._presence.away()
                self._transport.stop(self._death("stop") if self._connection else None)
                with suppress(PdsnoError):  # what ended the loop is on its way up already
                    self._outbox.drop()
            if self._next_epoch:  # last, when nothing more is staged in this one
                renumber(store, self._codec, self._committed, self._next_epoch)

    def _end_role(self) -> None:
        """Have the role keep what is unsaid; whatever that raises, others must hear of the end."""
        try:
            self._role.stop()
        except PdsnoError as exc:  # as a full disk, which ended the loop
            log.warning("%s", exc)
        except Exception:
            log.exception("the controller could not end as it should")

    def stop(self) -> None:
        """End ``run``; from any thread and from a signal handler."""
        self._stopped = True
        self._mailbox.close()

    def submit(self, work: Callable[[], Result], done: Callable[[Result], None]) -> None:
        """Run ``work`` on a thread of its own and post ``done`` with its result."""
        mailbox = self._mailbox  # a later epoch, with its own, has nothing to do with it

        def job() -> None:
            result = work()
            mailbox.post(lambda: done(result))

        threading.Thread(target=job, name="sweep", daemon=True).start()

    # The transport's thread calls these.

    def will(self, connection: int) -> Publication:
        """Return what the broker publishes when this connection breaks."""
        return self._death("will", connection)

    def on_up(self, connection: int, session_present: bool) -> None:
        """Every filter is granted."""
        self._mailbox.post(lambda: self._up(connection))

    def on_down(self, loss: Loss) -> None:
        """Nothing carries: a connection is lost, or could not be made."""
        final = loss.retry_in is None
        self._mailbox.post(lambda: self._give_up(loss.reason) if final else self._down(loss.reason))

    def on_alarm(self, alarm: Alarm) -> None:
        """Something that a person should look into."""
        self._mailbox.post(lambda: self._announce(alarm))

    def on_message(self, arrival: Arrival) -> None:
        """A message came."""
        self._intake.put(arrival)

    # The owner's thread from here on.

    def _up(self, connection: int) -> None:
        self._connection = connection
        born = self._presence.born(connection)
        self._role.connected()
        self._outbox.connected()
        if born:
            self._state("ready")

    def _down(self, reason: str) -> None:
        if self._seldom.due(reason, time.monotonic()):
            log.warning("%s", reason)
        self._presence.away()
        self._outbox.disconnected()
        self._role.disconnected()
        self._state("disconnected", reason)

    def _give_up(self, reason: str) -> None:
        log.error("%s", reason)
        self.fatal = reason
        self._mailbox.close()

    def _announce(self, alarm: Alarm) -> None:
        """Log an alarm of the transport, show it, and tell it as an event."""
        spec = self._spec
        log.warning("%s", alarm.text)
        self._watcher.notice(WarningNotice(controller_id=spec.controller_id, text=alarm.text))
        self._event(alarm.event, "warning", dict(alarm.detail))

    def _event(
        self,
        event: str,
        severity: Literal["info", "warning", "error"],
        detail: dict[str, str | int | float | list[str]],
    ) -> None:
        spec = self._spec
        with self._outgoing.unit() as unit:
            unit.stage(
                self._topology.topics.events(SYSTEM),
                Event(
                    event=event,
                    severity=severity,
                    subject=spec.controller_id,
                    region=spec.region,
                    detail=detail,
                ),
            )

    def _receive(self, envelope: Envelope) -> None:
        if not self._delivery.take(envelope):
            self._role.receive(envelope)

    def _renumber(self, stream: str, after: Position) -> None:
        """End this epoch where a receiver asks for another and has to: what waits is renumbered."""
        epoch = epoch_beyond(after, self._epoch, time.time())
        if epoch is None:
            log.warning("%s: its receiver is at %d/%d and takes no other epoch", stream, *after)
            return
        self._committed[stream] = after
        self._next_epoch = max(self._next_epoch, epoch)
        self._mailbox.close()

    def _stalled(self, stream: str | None) -> None:
        """Tell that nothing carries a stream, or that it is acknowledged again."""
        spec = self._spec
        since = None if stream is None else self._store.load(stream).oldest or None
        self._watcher.notice(
            StalledNotice(controller_id=spec.controller_id, stream=stream, since=since)
        )
        detail: dict[str, str | int | float | list[str]] = {}
        if stream is not None:
            waits = 0.0 if since is None else round(time.time() - since, 1)
            detail = {"stream": stream, "seconds": waits}
            log.error("nothing of %s is acknowledged over any transport", stream)
        self._event(
            "delivery_resumed" if stream is None else "delivery_stalled",
            "info" if stream is None else "error",
            detail,
        )

    def _waiting(self, messages: int) -> None:
        if messages:
            self._progress.watch()
        self._watcher.notice(
            WaitingNotice(controller_id=self._spec.controller_id, messages=messages)
        )

    def _tell_states(self) -> None:
        """Tell how the transports are, where that changed."""
        states = self._transport.states
        if states != self._states:
            self._states = states
            self._watcher.notice(
                TransportsNotice(controller_id=self._spec.controller_id, transports=states)
            )

    def _tell_carried(self) -> None:
        """Tell, now and then, how much each transport carried."""
        counts = self._transport.sent_counts
        if counts != self._carried:
            self._carried = counts
            self._watcher.notice(
                CarriedNotice(controller_id=self._spec.controller_id, counts=counts)
            )
        self._mailbox.after(CARRIED_EVERY, self._tell_carried)

    def _death(self, reason: Literal["will", "stop"], connection: int | None = None) -> Publication:
        """Return the signed death of a connection; a will is numbered 0 and sent at QoS 1."""
        status = self._presence.death(connection or self._connection, reason)
        seq = 0 if reason == "will" else None
        publication = self._outgoing.seal(self._presence.topic, status, seq=seq)
        return msgspec.structs.replace(publication, qos=1)

    def _state(self, state: State, detail: str | None = None) -> None:
        self._watcher.notice(
            StateNotice(
                controller_id=self._spec.controller_id,
                state=state,
                epoch=self._epoch,
                transport=self._transport.active if state == "ready" else None,
                detail=detail,
            )
        )

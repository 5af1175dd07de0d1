"""One running controller: its store, transport, numbering and role, wired to one mailbox.

The thread that calls ``run`` owns everything here. The transport's thread calls the ``on_``
methods, which only post; sweeps run on a thread of their own and post their result.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from pdsno_cli.controllers.global_ import GlobalController
from pdsno_cli.controllers.local import LocalController
from pdsno_cli.controllers.ports import Context
from pdsno_cli.controllers.presence import Presence
from pdsno_cli.controllers.regional import RegionalController
from pdsno_cli.delivery.commands import CommandHandler
from pdsno_cli.delivery.endpoint import announce, own_event
from pdsno_cli.delivery.inbox import Inbox
from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.delivery.publisher import Publisher
from pdsno_cli.delivery.readdress import readdress
from pdsno_cli.delivery.receiver import Receiver
from pdsno_cli.delivery.rejections import RejectionStats
from pdsno_cli.delivery.renumber import epoch_beyond, renumber
from pdsno_cli.delivery.stall_monitor import StallMonitor
from pdsno_cli.delivery.stream_control import StreamControl
from pdsno_cli.discovery.sweep import sweep
from pdsno_cli.messaging.backoff import UNREACHED_CAP, Backoff
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.throttle import Throttle
from pdsno_cli.model.errors import PdsnoError, StoreUnavailableError
from pdsno_cli.model.notices import (
    CarriedNotice,
    ReconfiguredNotice,
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
from pdsno_cli.nib.database import StoreInUseError
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.acl import live_acl
from pdsno_cli.runtime.mailbox import Mailbox
from pdsno_cli.runtime.process_label import process_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pdsno_cli.controllers.ports import Controller
    from pdsno_cli.delivery.endpoint import Severity
    from pdsno_cli.delivery.ports import Watcher
    from pdsno_cli.messaging.failover import FailoverTransport
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication
    from pdsno_cli.nib.database import Database
    from pdsno_cli.nib.offsets import Offset
    from pdsno_cli.runtime.supervisor_pipe import Reconfiguration
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)
Result = TypeVar("Result")

COUNT_EVERY = 5.0  # seconds between two notices of how much each transport carried

_CONTROLLERS: dict[Role, Callable[[Context], Controller]] = {
    Role.GLOBAL: GlobalController,
    Role.REGIONAL: RegionalController,
    Role.LOCAL: LocalController,
}


class Node:
    """Runs one controller until it is stopped or cannot go on.

    ``topology`` is live where others hold it, too: what ``connect`` builds, for one.
    """

    def __init__(
        self,
        *,
        topology: Topology | LiveTopology,
        controller_id: str,
        key: bytes,
        store: Path | str | Database,
        connect: Callable[[str, int], FailoverTransport],
        watcher: Watcher,
    ) -> None:
        self._live = topology if isinstance(topology, LiveTopology) else LiveTopology(topology)
        self._name = controller_id
        self._orders: deque[Reconfiguration] = deque()  # not yet carried out
        self._controller: Controller | None = None  # within an epoch
        self._key = key
        self._place = store
        self._held = False  # whether the store was ever opened
        self._retry = Backoff()
        self._connect = connect
        self._watcher = watcher
        self._mailbox = Mailbox()
        self._carried: dict[str, int] = {}
        self._states: dict[str, TransportState] = {}
        self._throttle = Throttle()
        self._connection = 0
        self._epoch = 0
        # The numbers that receivers are at which accept none of this epoch, and the epoch to begin.
        self._committed: dict[str, Offset] = {}
        self._next_epoch = 0
        self._stopped = False
        self.fatal: str | None = None  # why it ended, unless stopped

    def run(self) -> None:
        """Run on the calling thread until stopped, or until it cannot go on: see ``fatal``."""
        while True:
            self._committed, self._next_epoch = {}, 0
            try:
                self._run_epoch()
                if not self._next_epoch:
                    break
            except (StoreUnavailableError, StoreInUseError) as exc:
                # A connection that broke may hold the lock for a while; another process does not.
                if isinstance(exc, StoreInUseError) and not self._held:
                    raise
                self._wait_for_store(str(exc))
            self._mailbox = Mailbox()
            if self._stopped:  # looked at last: a stop until then closed the mailbox before
                break
        self._state("failed" if self.fatal else "stopped", self.fatal)

    def _wait_for_store(self, reason: str) -> None:
        """Wait before the store is opened again; a stop ends that."""
        seconds = self._retry.next(UNREACHED_CAP)
        if self._throttle.due(reason, time.monotonic()):
            log.warning("%s", reason)
        self._states = {}
        self._watcher.notice(TransportsNotice(controller_id=self._name, transports={}))
        self._state("disconnected", f"{reason}; next try in {seconds:.1f} s")
        self._mailbox = Mailbox()
        self._mailbox.after(seconds, self._mailbox.close)
        if not self._stopped:  # looked at last: a stop until then closed the mailbox before
            self._mailbox.run()

    def _run_epoch(self) -> None:
        """Run from a new epoch on, until stopped or until another epoch is needed."""
        self._reconfigure()
        topology, name = self._live.topology, self._name
        spec = topology.controllers[name]
        self._connection = 0
        with closing(Store.open(self._place)) as store:
            self._epoch = epoch = store.begin_epoch()
            self._held = True
            self._retry.reset()
            self._codec = Codec(
                self._key, topology.topics, topology.broker.max_payload, live_acl(self._live)
            )
            readdress(store, self._codec, topology.topics)
            self._transport = self._connect(name, epoch)
            self._store = store
            self._publisher = publisher = Publisher(
                sender_id=name,
                epoch=epoch,
                codec=self._codec,
                topics=topology.topics,
                transport=self._transport,
                store=store,
                scheduler=self._mailbox,
                limits=topology.outbox,
                events_topic=topology.topics.events(spec.region or SYSTEM),
                on_backlog=self._backlog_changed,
            )
            self._stall_monitor = StallMonitor(
                oldest_stall=publisher.sender.oldest_stall,
                failover=self._transport,
                scheduler=self._mailbox,
                on_change=self._stalled,
                patience=topology.outbox.patience,
            )
            self._context = context = Context(
                controller_id=name,
                live=self._live,
                epoch=epoch,
                process_label=process_label(topology.name),
                store=store,
                publisher=publisher,
                scheduler=self._mailbox,
                background=self,
                sweep=sweep,
                watcher=self._watcher,
                subscribe=self._transport.subscribe,
                fallen_back=lambda: self._transport.is_degraded,
            )
            self._controller = controller = _CONTROLLERS[spec.role](context)
            self._presence = Presence(context)
            inbox = Inbox(context, controller)
            commands = CommandHandler(
                endpoint=context,
                inbox=inbox,
                consumer=controller,
                open_message=self._codec.open,
            )
            self._receiver = Receiver(
                endpoint=context,
                codec=self._codec,
                mailbox=self._mailbox,
                inbox=inbox,
                control=StreamControl(
                    endpoint=context,
                    inbox=inbox,
                    consumer=controller,
                    commands=commands,
                    renumber=self._renumber,
                ),
                consumer=controller,
                rejections=RejectionStats(context),
            )
            self._state("connecting")
            controller.start()
            inbox.start()
            self._reconfigure()
            self._transport.watch(lambda: self._mailbox.post(self._show_transports))
            self._transport.start(self)
            self._show_counts()
            try:
                self._mailbox.run()
            finally:
                self._stop_controller()
                self._controller = None
                self._presence.stop_heartbeat()
                self._transport.stop(self._death("stop") if self._connection else None)
                with suppress(PdsnoError):  # what ended the loop is on its way up already
                    publisher.sender.flush_acknowledged()
            if self._next_epoch:  # last, when nothing more is staged in this one
                renumber(store, self._codec, self._committed, self._next_epoch)

    def _stop_controller(self) -> None:
        """Stop the controller; an error must not keep the farewell from being published."""
        assert self._controller is not None
        try:
            self._controller.stop()
        except PdsnoError as exc:  # as a full disk, which ended the loop
            log.warning("%s", exc)
        except Exception:
            log.exception("the controller failed to stop")

    def stop(self) -> None:
        """End ``run``; from any thread and from a signal handler."""
        self._stopped = True
        self._mailbox.close()

    def reconfigure(self, order: Reconfiguration) -> None:
        """Go on with another topology, without a new connection; from any thread.

        The watcher gets a ReconfiguredNotice once that is done.
        """
        self._orders.append(order)
        self._mailbox.post(self._reconfigure)

    def submit(self, work: Callable[[], Result], done: Callable[[Result], None]) -> None:
        """Run ``work`` on a thread of its own and post ``done`` with its result."""
        mailbox = self._mailbox  # a later epoch has its own

        def job() -> None:
            result = work()
            mailbox.post(lambda: done(result))

        threading.Thread(target=job, name="sweep", daemon=True).start()

    # The transport's thread calls these.

    def will(self, connection: int) -> Publication:
        """Return what the broker publishes when this connection breaks."""
        return self._death("will", connection)

    def on_up(self, connection: int, session_present: bool) -> None:
        """Handle that every filter is granted."""
        self._mailbox.post(lambda: self._up(connection))

    def on_down(self, loss: Loss) -> None:
        """Handle that no transport is up, or that another attempt failed."""
        final = loss.retry_in is None
        self._mailbox.post(lambda: self._give_up(loss.reason) if final else self._down(loss.reason))

    def on_alarm(self, alarm: Alarm) -> None:
        """Announce what an operator should look into."""
        self._mailbox.post(lambda: self._alarm(alarm))

    def on_message(self, arrival: Arrival) -> None:
        """Queue an arrival."""
        self._receiver.put(arrival)

    # The owner's thread from here on.

    def _reconfigure(self) -> None:
        """Carry out the orders to reconfigure that have arrived, also those of an earlier epoch."""
        while self._orders:
            order = self._orders.popleft()
            before = self._live.replace(order.topology, order.removed)
            if self._controller is not None:
                topology = order.topology
                self._codec.forget_senders()
                self._publisher.reconfigure(topology.topics, topology.outbox)
                self._stall_monitor.patience = topology.outbox.patience
                self._controller.reconfigured(before, frozenset(order.removed))
                self._presence.reconfigured(before)
                if order.resync:
                    self._controller.resync()
            self._watcher.notice(ReconfiguredNotice(controller_id=self._name, number=order.number))

    def _up(self, connection: int) -> None:
        assert self._controller is not None
        self._connection = connection
        announced = self._presence.announce(connection)
        self._controller.connected()
        self._publisher.sender.connected()
        if announced:
            self._state("ready")

    def _down(self, reason: str) -> None:
        if self._throttle.due(reason, time.monotonic()):
            log.warning("%s", reason)
        self._presence.stop_heartbeat()
        self._publisher.sender.disconnected()
        assert self._controller is not None
        self._controller.disconnected()
        self._state("disconnected", reason)

    def _give_up(self, reason: str) -> None:
        log.error("%s", reason)
        self.fatal = reason
        self._mailbox.close()

    def _alarm(self, alarm: Alarm) -> None:
        """Log an alarm of the transport, show it, and announce it."""
        log.warning("%s", alarm.text)
        self._watcher.notice(WarningNotice(controller_id=self._name, text=alarm.text))
        self._announce(alarm.event, "warning", alarm.detail)

    def _announce(self, event: str, severity: Severity, detail: Mapping[str, str | float]) -> None:
        announce(
            self._context,
            own_event(self._context, event, severity, detail),
            topic=self._live.topology.topics.events(SYSTEM),
        )

    def _renumber(self, stream: str, after: Offset) -> None:
        """End this epoch if a receiver can accept none of its numbers; the outbox is renumbered."""
        epoch = epoch_beyond(after, self._epoch, time.time())
        if epoch is None:
            log.warning("%s: its receiver is at %d/%d and accepts no other epoch", stream, *after)
            return
        self._committed[stream] = after
        self._next_epoch = max(self._next_epoch, epoch)
        self._mailbox.close()

    def _stalled(self, stream: str | None) -> None:
        """Announce that no transport carries a stream, or that it is acknowledged again (None)."""
        since = None if stream is None else self._store.backlog(stream).oldest or None
        self._watcher.notice(StalledNotice(controller_id=self._name, stream=stream, since=since))
        if stream is None:
            self._announce("delivery_resumed", "info", {})
            return
        log.error("nothing of %s is acknowledged over any transport", stream)
        seconds = 0.0 if since is None else round(time.time() - since, 1)
        self._announce("delivery_stalled", "error", {"stream": stream, "seconds": seconds})

    def _backlog_changed(self, messages: int) -> None:
        if messages:
            self._stall_monitor.watch()
        self._watcher.notice(WaitingNotice(controller_id=self._name, messages=messages))

    def _show_transports(self) -> None:
        """Show the watcher the states of the transports, if they changed."""
        states = self._transport.states
        if states != self._states:
            self._states = states
            self._watcher.notice(TransportsNotice(controller_id=self._name, transports=states))

    def _show_counts(self) -> None:
        """Show the watcher, now and then, how many messages each transport carried."""
        counts = self._transport.sent_counts
        if counts != self._carried:
            self._carried = counts
            self._watcher.notice(CarriedNotice(controller_id=self._name, counts=counts))
        self._mailbox.after(COUNT_EVERY, self._show_counts)

    def _death(self, reason: Literal["will", "stop"], connection: int | None = None) -> Publication:
        """Return the signed death of a connection; a will is numbered 0 and sent at QoS 1."""
        status = self._presence.death(connection or self._connection, reason)
        seq = 0 if reason == "will" else None
        publication = self._publisher.seal(self._presence.topic, status, seq=seq)
        return msgspec.structs.replace(publication, qos=1)

    def _state(self, state: State, detail: str | None = None) -> None:
        transport = self._transport.active if state == "ready" else None
        if detail is None:  # a reason is logged where it is found
            log.info("%s", state if transport is None else f"{state} over {transport}")
        self._watcher.notice(
            StateNotice(
                controller_id=self._name,
                state=state,
                epoch=self._epoch,
                transport=transport,
                detail=detail,
            )
        )

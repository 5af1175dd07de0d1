"""The in-process bus: a broker between controllers that share a process, on one thread.

Beside an MQTT broker it is the fallback. Messages sent over the broker are mirrored here for members
that are disconnected from it at the moment, since each of them loses and regains it separately.

One dispatcher thread delivers all messages in the order of publication. So a member may publish in a
callback, a retained message never overtakes a newer one, and a slow member delays the bus alone, not
the publishers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pdsno_cli.messaging.guarded import call_guarded
from pdsno_cli.messaging.transport import Arrival, FailoverMember, Listener, Loss, Publication
from pdsno_cli.model.topics import matches

CAPACITY = 10_000  # queued messages, beyond which publish returns False
_JOIN = 2.0  # seconds to wait until the dispatcher has delivered a farewell


@dataclass(frozen=True, slots=True, eq=False)
class _Subscriber:
    client_id: str
    filters: tuple[str, ...]
    listener: Listener
    will: Publication | None
    alone: Callable[[], bool]


class Bus:
    """A broker in this process. It keeps retained messages and ignores QoS: none are lost."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._work: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        # The rest is owned by the dispatcher.
        self._members: dict[str, _Subscriber] = {}
        self._retained: dict[str, Publication] = {}
        self._routes: dict[str, tuple[_Subscriber, ...]] = {}  # by topic, until the members change

    def join(
        self,
        client_id: str,
        filters: tuple[str, ...],
        listener: Listener,
        n: int,
        alone: Callable[[], bool],
    ) -> None:
        """Add a member as its connection number ``n``: ``on_up`` is called, then ``on_message``.

        While ``alone`` returns True the member also receives mirrored messages.
        """
        self._post(lambda: self._join(client_id, filters, listener, n, alone), always=True)

    def publish(self, publication: Publication) -> bool:
        """Queue a message; return False if the queue is full."""
        return self._post(lambda: self._deliver(publication))

    def subscribe(self, client_id: str, listener: Listener, topic_filter: str) -> None:
        """Add a filter to a member, which first receives the retained messages of it."""

        def work() -> None:
            if self._is(client_id, listener):
                member = self._members[client_id]
                filters = (*member.filters, topic_filter)
                self._members[client_id] = replace(member, filters=filters)
                self._routes.clear()
                self._deliver_retained(member, (topic_filter,))

        self._post(work, always=True)

    def mirror(self, publication: Publication) -> bool:
        """Queue a message that a broker carries, for members disconnected from that broker."""
        return self._post(lambda: self._deliver(publication, mirrored=True))

    def leave(self, client_id: str, listener: Listener, farewell: Publication | None) -> None:
        """Remove a member without its will; return once its farewell is delivered."""
        gone = threading.Event()

        def work() -> None:
            if self._is(client_id, listener):
                self._remove(client_id)
                if farewell is not None:
                    self._deliver(farewell)
            gone.set()

        self._post(work, always=True)
        if threading.current_thread() is not self._thread:
            gone.wait(_JOIN)

    def drop(self, client_id: str) -> None:
        """Disconnect a member as a broker would: its will is published."""

        def work() -> None:
            member = self._remove(client_id)
            if member is not None:
                self._disconnect(member, "the bus dropped the connection")

        self._post(work, always=True)

    def _post(self, work: Callable[[], None], *, always: bool = False) -> bool:
        with self._ready:
            if len(self._work) >= CAPACITY and not always:
                return False
            self._work.append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
                self._thread.start()
            self._ready.notify()
            return True

    # Dispatcher thread from here on.

    def _run(self) -> None:
        """Run queued work until it and the members are gone."""
        while True:
            with self._ready:
                while not self._work:
                    if not self._members:
                        self._thread = None
                        return
                    self._ready.wait()
                work = self._work.popleft()
            call_guarded(work)

    def _join(
        self,
        client_id: str,
        filters: tuple[str, ...],
        listener: Listener,
        number: int,
        alone: Callable[[], bool],
    ) -> None:
        before = self._remove(client_id)
        if before is not None:
            self._deliver_will(before)
            taken = Loss(reason=f"bus: another member took over as {client_id!r}")
            call_guarded(before.listener.on_down, taken)
        will = listener.will(number)
        member = self._members[client_id] = _Subscriber(client_id, filters, listener, will, alone)
        self._routes.clear()
        call_guarded(listener.on_up, number, False)
        self._deliver_retained(member, filters)

    def _deliver_retained(self, member: _Subscriber, filters: tuple[str, ...]) -> None:
        for publication in list(self._retained.values()):
            if _wants(filters, publication.topic):
                arrival = Arrival(
                    publication.topic, publication.data, retained=True, qos=publication.qos
                )
                call_guarded(member.listener.on_message, arrival)

    def _remove(self, client_id: str) -> _Subscriber | None:
        self._routes.clear()
        return self._members.pop(client_id, None)

    def _is(self, client_id: str, listener: Listener) -> bool:
        member = self._members.get(client_id)
        return member is not None and member.listener is listener

    def _disconnect(self, member: _Subscriber, reason: str) -> None:
        self._deliver_will(member)
        call_guarded(member.listener.on_down, Loss(reason=reason, retry_in=0.0))

    def _deliver_will(self, member: _Subscriber) -> None:
        if member.will is not None:
            self._deliver(member.will)

    def _deliver(self, publication: Publication, *, mirrored: bool = False) -> None:
        if publication.retain:
            if publication.data:
                self._retained[publication.topic] = publication
            else:
                self._retained.pop(publication.topic, None)
        arrival = Arrival(publication.topic, publication.data, qos=publication.qos)
        for member in self._subscribers(publication.topic):
            if mirrored and not member.alone():
                continue
            call_guarded(member.listener.on_message, arrival)

    def _subscribers(self, topic: str) -> tuple[_Subscriber, ...]:
        route = self._routes.get(topic)
        if route is None:
            members = self._members.values()
            route = tuple(member for member in members if _wants(member.filters, topic))
            if len(self._routes) >= CAPACITY:
                self._routes.clear()
            self._routes[topic] = route
        return route


class BusTransport(FailoverMember):
    """One member's connection to the bus; implements ``transport.FailoverMember``."""

    def __init__(
        self,
        bus: Bus,
        client_id: str,
        filters: Sequence[str] = (),
        *,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self._bus = bus
        self._alone = alone
        self._client_id = client_id
        self._filters = tuple(filters)
        self._listener: _TrackingListener | None = None
        self._connection = 0

    def start(self, listener: Listener) -> None:
        """Join the bus; after a stop or a drop, as the next connection."""
        self._connection += 1
        self._listener = _TrackingListener(listener)
        self._bus.join(
            self._client_id, self._filters, self._listener, self._connection, self._alone
        )

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Queue one message; see ``Transport.publish``."""
        if not topic or "+" in topic or "#" in topic:
            raise ValueError(f"{topic!r} is not a valid topic name")
        if self._listener is None or not self._listener.up:
            return False
        return self._bus.publish(Publication(topic=topic, data=data, qos=qos, retain=retain))

    def subscribe(self, topic_filter: str) -> None:
        """Add a filter; see ``FailoverMember.subscribe``."""
        self._filters = (*self._filters, topic_filter)
        if self._listener is not None:
            self._bus.subscribe(self._client_id, self._listener, topic_filter)

    def mirror(self, topic: str, data: bytes, *, qos: int, retain: bool) -> None:
        """Queue a message for members that no other transport reaches at the moment."""
        self._bus.mirror(Publication(topic=topic, data=data, qos=qos, retain=retain))

    def reconnect(self, reason: str) -> None:
        """Do nothing: there is no connection that could be stuck."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Leave the bus; see ``Transport.stop``."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.up = False
            self._bus.leave(self._client_id, listener, farewell)


class _TrackingListener:
    """Forwards to a listener and tracks if it is up; the dispatcher calls its methods."""

    def __init__(self, listener: Listener) -> None:
        self.up = False
        self._listener = listener
        self.will = listener.will
        self.on_message = listener.on_message
        self.on_alarm = listener.on_alarm

    def on_up(self, connection: int, session_present: bool) -> None:
        self.up = True
        self._listener.on_up(connection, session_present)

    def on_down(self, loss: Loss) -> None:
        self.up = False
        self._listener.on_down(loss)


def _wants(filters: tuple[str, ...], topic: str) -> bool:
    return any(matches(item, topic) for item in filters)

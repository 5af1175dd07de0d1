"""The fallback chain: several transports that look like one, the best that works carrying.

What is sent goes over the active transport alone, what comes is taken from every transport that is
up, and those who visit an ingress get their mail whichever is active. So a switch makes no hole:
order and de-duplication live above, and the controller does on each switch what it does on each
connect.

No transport is treated by its name: what is special about one is a method of ``FailoverLink`` or an
argument here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from types import MappingProxyType
from typing import TYPE_CHECKING

from pdsno_cli.messaging.failover_policy import FailoverPolicy
from pdsno_cli.messaging.seldom import Seldom
from pdsno_cli.messaging.transport import Loss, Publication
from pdsno_cli.model.notices import TransportState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pdsno_cli.messaging.transport import Alarm, Arrival, FailoverLink, Ingress, Listener

log = logging.getLogger(__name__)


class FailoverTransport:
    """Carries over the best of its links; implements ``transport.Transport``.

    ``links`` are the transports by name, best first. ``order`` says for a topic which of them may
    carry its class, best first. ``ingresses`` serve the controllers below, each over the transport
    that it is named after. Links ``on_demand`` run only while the best one is lost or not active;
    the best one always runs.

    Connections are counted over all links together, so that the will of one link, told late, does
    not fit a birth over another.
    """

    def __init__(
        self,
        *,
        links: Mapping[str, FailoverLink],
        order: Callable[[str], tuple[str, ...]],
        ingresses: Mapping[str, Ingress] = MappingProxyType({}),
        on_demand: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        names = tuple(links)
        self._links = dict(links)
        self._order = order
        self._ingresses = dict(ingresses)
        self._clock = clock
        self._best = names[0]
        self._on_demand = tuple(name for name in names[1:] if name in on_demand)
        self._sent_counts: Counter[str] = Counter()
        self._lock = threading.RLock()  # held for every transition, and by nobody who publishes
        self._events: deque[Callable[[], Loss | None]] = deque()
        self._pumping = False
        self._policy = FailoverPolicy(names, clock())
        self._active: str | None = None
        self._up: frozenset[str] = frozenset()
        self._shunned: frozenset[str] = frozenset()  # up, and passed over
        self._timer: threading.Timer | None = None
        self._connections = 0
        self._numbers: dict[str, tuple[int, bool]] = {}
        self._running: set[str] = set()
        self._stopped = False
        self._listener: Listener | None = None
        self._states: dict[str, TransportState] = {}
        self._states_changed: Callable[[], None] = _nothing
        self._seldom = Seldom()

    @property
    def active(self) -> str | None:
        """The link that carries, None while nothing does."""
        return self._active

    @property
    def is_degraded(self) -> bool:
        """Whether a link carries that is not the best."""
        return self._active not in (None, self._best)

    @property
    def sent_counts(self) -> dict[str, int]:
        """How many messages each link took over so far."""
        return dict(self._sent_counts)

    @property
    def states(self) -> dict[str, TransportState]:
        """How each link in use is, best first."""
        states = dict(self._states)
        return {name: states[name] for name in self._links if name in states}

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, on any thread, whenever ``states`` may be others."""
        self._states_changed = changed

    def start(self, listener: Listener) -> None:
        """Serve those below and begin to connect; OperationError when an ingress cannot listen."""
        self._listener = listener
        for ingress in self._ingresses.values():
            ingress.start(
                self.hear, links=lambda: self._policy.links_up, active=lambda: self._active
            )
        for name in self._links:
            if name not in self._on_demand:
                self._run_link(name)
        self._event(_nothing)

    @property
    def best(self) -> str:
        """The link that carries where nothing is wrong."""
        return self._best

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Hand one message to the best transport of its class; see ``Transport.publish``."""
        order = self._order(topic)
        posted = [
            name
            for name, ingress in self._ingresses.items()
            if name in order and ingress.offer(topic, data, retain=retain)
        ]
        problem: ValueError | None = None
        for name in self._candidates(order):
            try:
                taken = self._links[name].publish(
                    topic, data, qos=qos, retain=retain, expiry=expiry
                )
            except ValueError as exc:  # too large for this one; another may take it
                problem = exc
                continue
            if taken:
                self._sent_counts[name] += 1
                for other in self._links:
                    if other != name:
                        self._links[other].mirror(topic, data, qos=qos, retain=retain)
                return True
        if posted:
            self._sent_counts.update(posted)
            return True
        if problem is not None:
            raise problem
        # Those below come for what is theirs; where nobody else listens, nothing is left to do.
        active = self._active
        return active is not None and active in order and not self._links[active].reaches(topic)

    def has_other_up(self, name: str) -> bool:
        """Return True if a link other than ``name`` is up."""
        return any(state.up for other, state in self.states.items() if other != name)

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe over each link; see ``Subscribing.subscribe``."""
        for link in self._links.values():
            link.subscribe(topic_filter)

    def reconnect(self, reason: str) -> None:
        """Have the active transport make another connection, since this one carries nothing."""
        name = self._active
        if name is not None:
            log.warning("%s carries nothing, connecting again: %s", name, reason)
            self._links[name].reconnect(reason)

    def leave(self, reason: str) -> bool:
        """Pass the active transport over for a while, since it carries nothing though it is up.

        Returns False where there is no other link. Another thread does it: the caller's may be the
        one that listeners post to.
        """
        name = self._active
        if name is None or len(self._links) == 1:
            return False

        def happened() -> None:
            if self._policy.shunned(name, self._clock()):
                return
            seconds = self._policy.shun(name, self._clock())
            log.warning("%s carries nothing, passed over for %.0f s: %s", name, seconds, reason)
            before = self._states.get(name)
            if before is not None and before.up:
                again = time.time() + seconds
                self._states[name] = TransportState(
                    up=True, since=time.time(), reason=reason, next_try=again
                )

        def work() -> None:
            self._event(happened)
            self._states_changed()

        threading.Thread(target=work, name="chain", daemon=True).start()
        return True

    def stop(self, farewell: Publication | None = None) -> None:
        """Say ``farewell`` over the active transport and end; see ``Transport.stop``."""
        with self._lock:
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()
        for name in sorted(self._running, key=lambda name: name != self._active):
            self._links[name].stop(farewell if name == (self._active or name) else None)
        for ingress in self._ingresses.values():
            ingress.stop()

    def _candidates(self, order: tuple[str, ...]) -> list[str]:
        """Return the links that may take a message, the active one first where the class says as all.

        What is up beside the active one is better than it and on trial: it still reaches those who
        have returned to it already.
        """
        up, active = self._up, self._active
        usable = [name for name in order if name in up]
        if order == tuple(self._links) and active in usable:
            usable.remove(active)
            usable.insert(0, active)
        if len(usable) > 1 and self._shunned:
            usable.sort(key=lambda name: name in self._shunned)
        return usable

    # Every transition, one after the other, on the thread that brings it about.

    def _event(self, happened: Callable[[], Loss | None]) -> None:
        """Take in what happened to a link and act on it; it returns a loss, where it is one."""
        with self._lock:
            self._events.append(happened)
            if self._pumping:
                return
            self._pumping = True
            try:
                while self._events and not self._stopped:
                    self._settle(self._events.popleft()())
            finally:
                self._pumping = False

    def _settle(self, loss: Loss | None) -> None:
        """Do what the policy decides. The one place where the active transport changes."""
        listener = self._listener
        assert listener is not None
        verdict = self._policy.decide(self._clock(), above=self._links_above())
        before, self._active = self._active, verdict.active
        self._up = frozenset(self._policy.links_up)
        now = self._clock()
        self._shunned = frozenset(
            name for name in self._links if self._policy.shunned(name, now) and name != self._active
        )
        if self._active is not None and self._active != before:
            if len(self._links) > 1:
                log.info("%s carries now", self._active)
            listener.on_up(*self._connection(self._active))
            carrying = self._states.get(self._active)
            if carrying is not None and carrying.reason is not None:
                self._note(self._active, None)
        elif loss is not None and (self._active is None or loss.retry_in is None):
            listener.on_down(loss)
        elif loss is not None and self._seldom.due(loss.reason, self._clock()):
            log.info("%s (%s carries)", loss.reason, self._active)
        for name in self._on_demand:
            self._set_fallback(name, wanted=verdict.fallback)
        self._arm(verdict.look_again)

    def _connection(self, name: str) -> tuple[int, bool]:
        """Return the number of a link's connection, and whether a session was present."""
        number, session_present = self._numbers.pop(name, (0, False))
        if not number:
            self._connections += 1
            number = self._connections
        return number, session_present

    def _links_above(self) -> frozenset[str] | None:
        """Return the links that the parents have up, None where no fallback knows.

        To return to a link that the parent does not hear on would be to fall silent. The best link
        is not asked: that it is up again is all there is to know.
        """
        asked = (link.parent_links for name, link in self._links.items() if name != self._best)
        known = [links for links in asked if links is not None]
        return frozenset.intersection(*known) if known else None

    def _set_fallback(self, name: str, *, wanted: bool) -> None:
        if wanted and name not in self._running:
            self._run_link(name)
        elif not wanted and name in self._running:
            self._running.discard(name)
            self._states.pop(name, None)
            self._links[name].stop()
            self._policy.down(name, self._clock())
            self._up = frozenset(self._policy.links_up)

    def _run_link(self, name: str) -> None:
        self._running.add(name)
        self._links[name].start(_LinkListener(self, name))

    def _arm(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            wait = max(at - self._clock(), 0.0)
            self._timer = threading.Timer(wait, self._event, (_nothing,))
            self._timer.daemon = True
            self._timer.start()

    # What a link tells, on its thread.

    def will(self, name: str) -> Publication | None:
        """Number a link's next connection and return its will."""
        with self._lock:
            self._connections += 1
            self._numbers[name] = self._connections, False
            number = self._connections
        assert self._listener is not None
        return self._listener.will(number)

    def link_up(self, name: str, *, session_present: bool) -> None:
        """Take note that a link is up."""

        def happened() -> None:
            if name in self._numbers:
                self._numbers[name] = self._numbers[name][0], session_present
            self._policy.up(name, self._clock())
            self._note(name, None)

        self._event(happened)
        self._states_changed()

    def link_down(self, name: str, loss: Loss) -> None:
        """Take note that a link is lost, or that an attempt to connect failed."""

        def happened() -> Loss:
            self._policy.down(name, self._clock())
            if name in self._running:
                self._note(name, loss)
            for served, ingress in self._ingresses.items():
                if served != name:
                    ingress.warm()
            return loss

        self._event(happened)
        self._states_changed()

    def _note(self, name: str, loss: Loss | None) -> None:
        """Keep how a link is now, and since when."""
        before, now = self._states.get(name), time.time()
        since = before.since if before is not None and before.up == (loss is None) else now
        if loss is None:
            self._states[name] = TransportState(up=True, since=since)
            return
        again = None if loss.retry_in is None else now + loss.retry_in
        self._states[name] = TransportState(
            up=False, since=since, reason=loss.reason, next_try=again
        )

    def alarm(self, alarm: Alarm) -> None:
        """Pass on what a person should look into."""
        assert self._listener is not None
        self._listener.on_alarm(alarm)

    def hear(self, arrival: Arrival) -> None:
        """Take one message from whatever link it came over."""
        for ingress in self._ingresses.values():
            ingress.relay(arrival.topic, arrival.data)
        assert self._listener is not None
        self._listener.on_message(arrival)


class _LinkListener:
    """Listens to one link."""

    def __init__(self, chain: FailoverTransport, name: str) -> None:
        self._chain = chain
        self._name = name
        self.on_message = chain.hear

    def will(self, connection: int) -> Publication | None:
        return self._chain.will(self._name)

    def on_up(self, connection: int, session_present: bool) -> None:
        self._chain.link_up(self._name, session_present=session_present)

    def on_down(self, loss: Loss) -> None:
        self._chain.link_down(self._name, loss)

    def on_alarm(self, alarm: Alarm) -> None:
        self._chain.alarm(alarm)


def _nothing() -> None:
    """Look again: time has passed."""

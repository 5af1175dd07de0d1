"""The fallback chain: several transports behind the interface of one.

The active transport alone sends. Every transport that is up receives, and every ingress serves the
controllers that poll it. So no message is lost at a switch: order and de-duplication live above, and
the controller does on each switch what it does on each connect.

No transport is treated by its name: its peculiarities are methods of ``FailoverMember`` or arguments
here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from types import MappingProxyType
from typing import TYPE_CHECKING

from pdsno_cli.messaging.connection_numbers import ConnectionNumbers
from pdsno_cli.messaging.failover_policy import FailoverPolicy
from pdsno_cli.messaging.throttle import Throttle
from pdsno_cli.messaging.transport import Loss, Publication
from pdsno_cli.messaging.transport_states import TransportStates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pdsno_cli.messaging.transport import Arrival, FailoverMember, Ingress, Listener
    from pdsno_cli.model.notices import TransportState

log = logging.getLogger(__name__)


class FailoverTransport:
    """Sends over the best of its transports; implements ``transport.Transport``.

    ``transports`` are the members by name, best first. ``order`` returns for a topic which of them
    may carry its class, best first. ``ingresses`` serve the controllers below, each over the
    transport that it is named after. Transports ``on_demand`` run only while the best one is lost
    or not active; the best one always runs.

    Connections are numbered over all transports together, so that a late will of one transport does
    not match a birth over another.
    """

    def __init__(
        self,
        *,
        transports: Mapping[str, FailoverMember],
        order: Callable[[str], tuple[str, ...]],
        ingresses: Mapping[str, Ingress] = MappingProxyType({}),
        on_demand: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        names = tuple(transports)
        self._transports = dict(transports)
        self._order = order
        self._ingresses = dict(ingresses)
        self._clock = clock
        self._best = names[0]
        self._on_demand = tuple(name for name in names[1:] if name in on_demand)
        self._sent_counts: Counter[str] = Counter()
        self._lock = threading.RLock()  # held for every transition, never to publish
        self._events: deque[Callable[[], Loss | None]] = deque()
        self._pumping = False
        self._policy = FailoverPolicy(names, clock())
        self._active: str | None = None
        self._up: frozenset[str] = frozenset()
        self._shunned: frozenset[str] = frozenset()  # up, and passed over
        self._timer: threading.Timer | None = None
        self._numbers = ConnectionNumbers()
        self._running: set[str] = set()
        self._stopped = False
        self._listener: Listener  # from the start on
        self._states = TransportStates()
        self._states_changed: Callable[[], None] = _nothing
        self._throttle = Throttle()

    @property
    def active(self) -> str | None:
        """The transport that sends, None while none is up."""
        return self._active

    @property
    def is_degraded(self) -> bool:
        """True while a transport other than the best sends."""
        return self._active not in (None, self._best)

    @property
    def sent_counts(self) -> dict[str, int]:
        """The number of messages that each transport accepted so far."""
        return dict(self._sent_counts)

    @property
    def states(self) -> dict[str, TransportState]:
        """The state of each transport in use, best first."""
        return self._states.ordered(self._transports)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed``, on any thread, whenever ``states`` may have changed."""
        self._states_changed = changed

    def start(self, listener: Listener) -> None:
        """Start ingresses and transports; OperationError if an ingress cannot listen."""
        self._listener = listener
        for ingress in self._ingresses.values():
            ingress.start(
                self.receive,
                transports=lambda: self._policy.transports_up,
                active=lambda: self._active,
            )
        for name in self._transports:
            if name not in self._on_demand:
                self._start_member(name)
        self._event(_nothing)

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Send one message over the best transport of its class; see ``Transport.publish``."""
        order = self._order(topic)
        queued = [
            name
            for name, ingress in self._ingresses.items()
            if name in order and ingress.offer(topic, data, retain=retain)
        ]
        problem: ValueError | None = None
        for name in self._candidates(order):
            try:
                taken = self._transports[name].publish(
                    topic, data, qos=qos, retain=retain, expiry=expiry
                )
            except ValueError as exc:  # too large for this one; another may take it
                problem = exc
                continue
            if taken:
                self._sent_counts[name] += 1
                for other in self._transports:
                    if other != name:
                        self._transports[other].mirror(topic, data, qos=qos, retain=retain)
                return True
        if queued:
            self._sent_counts.update(queued)
            return True
        if problem is not None:
            raise problem
        # Controllers below poll for their messages. Without other receivers the message is done.
        active = self._active
        return (
            active is not None and active in order and not self._transports[active].reaches(topic)
        )

    def has_other_up(self, name: str) -> bool:
        """Return True if a transport other than ``name`` is up."""
        return any(state.up for other, state in self.states.items() if other != name)

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe over each transport; see ``FailoverMember.subscribe``."""
        for member in self._transports.values():
            member.subscribe(topic_filter)

    def reconnect(self, reason: str) -> None:
        """Make the active transport connect again, since its connection carries nothing."""
        name = self._active
        if name is not None:
            log.warning("%s carries nothing, connecting again: %s", name, reason)
            self._transports[name].reconnect(reason)

    def leave(self, reason: str) -> bool:
        """Pass the active transport over for a while, since it is up and carries nothing.

        Return False if it is the only one. The switch runs on another thread, since the caller's
        may be the one that listeners post to.
        """
        name = self._active
        if name is None or len(self._transports) == 1:
            return False

        def happened() -> None:
            if self._policy.shunned(name, self._clock()):
                return
            seconds = self._policy.shun(name, self._clock())
            log.warning("%s carries nothing, passed over for %.0f s: %s", name, seconds, reason)
            self._states.shunned(name, reason, seconds)

        def work() -> None:
            self._event(happened)
            self._states_changed()

        threading.Thread(target=work, name="failover", daemon=True).start()
        return True

    def stop(self, farewell: Publication | None = None) -> None:
        """Publish ``farewell`` over the active transport and end; see ``Transport.stop``."""
        with self._lock:
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()
        for name in sorted(self._running, key=lambda name: name != self._active):
            self._transports[name].stop(farewell if name == (self._active or name) else None)
        for ingress in self._ingresses.values():
            ingress.stop()

    def _candidates(self, order: tuple[str, ...]) -> list[str]:
        """Return the transports to try for a message, in turn.

        The active one is first if the class has no order of its own. A transport that is up beside
        the active one is better and on trial: it still reaches the peers that returned to it.
        """
        up, active = self._up, self._active
        usable = [name for name in order if name in up]
        if order == tuple(self._transports) and active in usable:
            usable.remove(active)
            usable.insert(0, active)
        if len(usable) > 1 and self._shunned:
            usable.sort(key=lambda name: name in self._shunned)
        return usable

    # Transitions: one at a time, each on the thread that caused it.

    def _event(self, happened: Callable[[], Loss | None]) -> None:
        """Run ``happened``, which returns a loss if it is one, and act on the result."""
        with self._lock:
            self._events.append(happened)
            if self._pumping:
                return
            self._pumping = True
            try:
                while self._events and not self._stopped:
                    self._reevaluate(self._events.popleft()())
            finally:
                self._pumping = False

    def _reevaluate(self, loss: Loss | None) -> None:
        """Apply the decision of the policy. The active transport changes here alone."""
        listener = self._listener
        decision = self._policy.decide(self._clock(), above=self._transports_above())
        before, self._active = self._active, decision.active
        self._up = frozenset(self._policy.transports_up)
        now = self._clock()
        self._shunned = frozenset(
            name
            for name in self._transports
            if self._policy.shunned(name, now) and name != self._active
        )
        if self._active is not None and self._active != before:
            if len(self._transports) > 1:
                log.info("%s is active now", self._active)
            listener.on_up(*self._numbers.take(self._active))
            self._states.carries(self._active)
        elif loss is not None and (self._active is None or loss.retry_in is None):
            listener.on_down(loss)
        elif loss is not None and self._throttle.due(loss.reason, self._clock()):
            log.info("%s (%s is active)", loss.reason, self._active)
        for name in self._on_demand:
            self._set_fallback(name, wanted=decision.fallback)
        self._arm(decision.next_decision)

    def _transports_above(self) -> frozenset[str] | None:
        """Return the transports that every parent has up, None if no fallback reports them.

        A return to a transport that a parent does not have up would cut this controller off. The
        best transport is not asked: it is up again, which suffices.
        """
        fallbacks = (item for name, item in self._transports.items() if name != self._best)
        reported = (item.parent_transports for item in fallbacks)
        known = [names for names in reported if names is not None]
        return frozenset.intersection(*known) if known else None

    def _set_fallback(self, name: str, *, wanted: bool) -> None:
        if wanted and name not in self._running:
            self._start_member(name)
        elif not wanted and name in self._running:
            self._running.discard(name)
            self._states.forget(name)
            self._transports[name].stop()
            self._policy.down(name, self._clock())
            self._up = frozenset(self._policy.transports_up)

    def _start_member(self, name: str) -> None:
        self._running.add(name)
        self._transports[name].start(_MemberListener(self, name, self._listener))

    def _arm(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            wait = max(at - self._clock(), 0.0)
            self._timer = threading.Timer(wait, self._event, (_nothing,))
            self._timer.daemon = True
            self._timer.start()

    # The members call these, each on its own thread.

    def will(self, name: str) -> Publication | None:
        """Number a transport's next connection and return its will."""
        with self._lock:
            number = self._numbers.assign(name)
        return self._listener.will(number)

    def member_up(self, name: str, *, session_present: bool) -> None:
        """Record that a transport is up."""

        def happened() -> None:
            self._numbers.set_session(name, present=session_present)
            self._policy.up(name, self._clock())
            self._states.up(name)

        self._event(happened)
        self._states_changed()

    def member_down(self, name: str, loss: Loss) -> None:
        """Record that a transport is lost, or that an attempt to connect failed."""

        def happened() -> Loss:
            self._policy.down(name, self._clock())
            if name in self._running:
                self._states.down(name, loss)
            for served, ingress in self._ingresses.items():
                if served != name:
                    ingress.warm()
            return loss

        self._event(happened)
        self._states_changed()

    def receive(self, arrival: Arrival) -> None:
        """Pass on one message of any transport or ingress."""
        for ingress in self._ingresses.values():
            ingress.relay(arrival.topic, arrival.data)
        self._listener.on_message(arrival)


class _MemberListener:
    """Listens to one transport of the chain."""

    def __init__(self, chain: FailoverTransport, name: str, listener: Listener) -> None:
        self._chain = chain
        self._name = name
        self.on_message = chain.receive
        self.on_alarm = listener.on_alarm

    def will(self, connection: int) -> Publication | None:
        return self._chain.will(self._name)

    def on_up(self, connection: int, session_present: bool) -> None:
        self._chain.member_up(self._name, session_present=session_present)

    def on_down(self, loss: Loss) -> None:
        self._chain.member_down(self._name, loss)


def _nothing() -> None:
    """Do nothing: an event that only re-evaluates, since time has passed."""

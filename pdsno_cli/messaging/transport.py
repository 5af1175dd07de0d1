"""The contract between transports and their users: messages, ``Listener``, ``Transport``, ``Ingress``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One message to send.

    ``expiry`` is in seconds: an MQTT 5 broker drops the message if it could not deliver it by then.
    """

    topic: str
    data: bytes
    qos: int
    retain: bool
    expiry: int | None = None


def _no_release() -> None:
    """Do nothing: the transport waits for no release."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One received message; ``retained`` is True if a broker stored it for new subscribers.

    Call ``release`` once the message is committed, dropped or refused: once for each message, in
    the order of arrival, from any thread. Until then the other side may deliver it again.
    """

    topic: str
    data: bytes
    retained: bool = False
    qos: int = 0
    release: Callable[[], None] = _no_release


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Why a transport is down, in one sentence, and in how many seconds it tries again.

    ``retry_in`` is None if it never tries again: a newer process runs as this controller, or a
    command's topology went down. Failures of a broker, a peer or the network are retried for ever.
    ``refused`` is True if the other side answered with a refusal: a command then gives up, a
    controller does not.
    """

    reason: str
    retry_in: float | None = None
    refused: bool = False


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that an operator should look into, though the transport continues by itself.

    ``event`` and ``detail`` are those of an ``Event``; ``text`` is one sentence.
    """

    event: str
    text: str
    detail: dict[str, str]


class Listener(Protocol):
    """The callbacks of a transport.

    The transport's own thread calls every method, which must not block and may publish. An
    exception is logged and ends there.
    """

    def will(self, connection: int) -> Publication | None:
        """Return the will of connection number ``connection``, published if it is lost."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Called once connected and subscribed to every filter; connections count from 1.

        ``session_present`` is True if the other side kept the session: its subscriptions, and
        messages that arrived meanwhile, some of which may be delivered before this call.
        """

    def on_message(self, arrival: Arrival) -> None:
        """Called for one message, to be released once it is handled."""

    def on_down(self, loss: Loss) -> None:
        """Called when the connection is lost, and for each attempt that fails."""

    def on_alarm(self, alarm: Alarm) -> None:
        """Called for an alarm; repetitions of one are limited."""


class NullListener:
    """Implements ``Listener`` without effect: a base for listeners that need part of it.

    It has no will, and releases every message.
    """

    def will(self, connection: int) -> Publication | None:
        """Return None."""
        return None

    def on_up(self, connection: int, session_present: bool) -> None:
        """Do nothing."""

    def on_message(self, arrival: Arrival) -> None:
        """Release the message."""
        arrival.release()

    def on_down(self, loss: Loss) -> None:
        """Do nothing."""

    def on_alarm(self, alarm: Alarm) -> None:
        """Do nothing."""


class Transport(Protocol):
    """Sends messages to their subscribers, and receives those of its own filters."""

    def start(self, listener: Listener) -> None:
        """Connect and stay connected, in the background."""

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Accept one message; return False if not connected or full. Never blocks; any thread.

        ValueError if the message can never be sent: too large, or an invalid topic name.
        """

    def reconnect(self, reason: str) -> None:
        """Connect again, where that can help: this connection is up and carries nothing."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Publish ``farewell``, disconnect without the will, and end; never from a callback."""


class FailoverMember(Transport, Protocol):
    """A transport that can be a member of a fallback chain.

    A subclass inherits the behaviour of a transport that reaches every controller, such as a
    broker::

        class Pigeons(FailoverMember):
            def start(self, listener): ...  # the other methods of ``Transport``, and ``subscribe``

    A member that runs on demand is started again after a stop.
    """

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe to one more filter, now and on every later connection; any thread."""

    @property
    def parent_transports(self) -> frozenset[str] | None:
        """The transports that every parent has up, as they report over this one; None if unknown."""
        return None

    def reaches(self, topic: str) -> bool:
        """Return False if ``topic`` has no possible receiver over this transport."""
        return True

    def mirror(self, topic: str, data: bytes, *, qos: int, retain: bool) -> None:
        """Note a message that another transport accepted. Never blocks; any thread."""
        return  # a default, not an abstract method


class Ingress(Protocol):
    """Serves the controllers below one controller over one transport."""

    def start(
        self,
        on_message: Callable[[Arrival], None],
        *,
        transports: Callable[[], tuple[str, ...]],
        active: Callable[[], str | None],
    ) -> None:
        """Listen; OperationError, naming the address, if that fails.

        ``on_message`` is called for each message. ``transports`` returns those that this controller
        has up, ``active`` the one that sends.
        """

    def offer(self, topic: str, data: bytes, *, retain: bool) -> bool:
        """Queue a message for the controllers below. Return True if any of them receives it."""

    def relay(self, topic: str, data: bytes) -> None:
        """Pass a parent's message on to controllers below that would miss it otherwise."""

    def warm(self) -> None:
        """Prepare for controllers below, since another transport was lost; any thread."""

    def stop(self) -> None:
        """Stop listening."""

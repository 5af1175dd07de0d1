"""What carries messages, and who listens: the protocols that every transport speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a transport carries it: topic, bytes and delivery.

    ``expiry`` is in seconds: a broker that can (MQTT 5) drops what it could not deliver by then.
    """

    topic: str
    data: bytes
    qos: int
    retain: bool
    expiry: int | None = None


def _no_release() -> None:
    """Nobody waits for the message."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message as it came. ``retained`` says that it was kept for newcomers and is not news.

    ``release`` tells the transport that the message is dealt with: committed, dropped or refused.
    It is called once for each message, in the order of arrival, from any thread. Until then the
    other side may hand the message over again.
    """

    topic: str
    data: bytes
    retained: bool = False
    qos: int = 0
    release: Callable[[], None] = _no_release


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Why a transport carries nothing, in one sentence, and when it tries again.

    ``retry_in`` is in seconds. None means never, which is for what no time mends: a newer process
    runs as this controller, or a command's topology went down. Whatever a broker, a peer or the
    network does is tried again for ever. ``refused`` says that the other side answered and said
    no: a command gives up on that, a controller does not.
    """

    reason: str
    retry_in: float | None = None
    refused: bool = False


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should look into, though the transport goes on by itself.

    ``event`` names it as in an ``Event``, ``detail`` is that event's, ``text`` one sentence.
    """

    event: str
    text: str
    detail: dict[str, str]


class Listener(Protocol):
    """Hears what a transport receives.

    Every method is called on the transport's own thread, must not wait, and may publish. What it
    raises is logged and goes no further.
    """

    def will(self, connection: int) -> Publication | None:
        """Return what is published when connection number ``connection`` is lost."""

    def on_up(self, connection: int, session_present: bool) -> None:
        """Hear that all is connected and every subscription granted; connections count from 1.

        ``session_present`` says that the other side kept a session: subscriptions, and messages
        that came meanwhile, which may be handed over before this call.
        """

    def on_message(self, arrival: Arrival) -> None:
        """Take one message, and release it once it is dealt with."""

    def on_down(self, loss: Loss) -> None:
        """Called when nothing is connected, and again for each failed attempt."""

    def on_alarm(self, alarm: Alarm) -> None:
        """Called for what a person should look into, at most now and then for the same."""


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
    """Carries publications to whoever subscribed, and those of others here."""

    def start(self, listener: Listener) -> None:
        """Begin to connect, and keep connected; returns at once."""

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Take over one message; False when not connected or full. Never waits, any thread.

        ValueError when the message could never be carried: too large, or no topic name.
        """

    def reconnect(self, reason: str) -> None:
        """Begin a new connection, where that can help: this one carries nothing though it is up."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Say ``farewell``, disconnect without a will, and end; not from a listener's method."""


class Subscribing(Transport, Protocol):
    """A transport whose filters may grow."""

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe to one more filter, now and on every later connection; from any thread."""


class FailoverLink(Subscribing, Protocol):
    """A transport that may stand in a fallback chain.

    A class that names it as its base inherits what is right for a transport that reaches everybody,
    as a broker does::

        class Pigeons(FailoverLink):
            def start(self, listener): ...  # and the other methods of ``Transport``

    A link that runs on demand is started again after a stop.
    """

    @property
    def parent_links(self) -> frozenset[str] | None:
        """The transports that the parents have up, as heard over this one; None if not known."""
        return None

    def reaches(self, topic: str) -> bool:
        """Return False if nobody can receive ``topic`` over this transport."""
        return True

    def mirror(self, topic: str, data: bytes, *, qos: int, retain: bool) -> None:
        """Take note of a message that another transport took over. Never waits, any thread."""
        return  # a default, not an abstract method


class Ingress(Protocol):
    """Serves the controllers below one controller over one transport."""

    def start(
        self,
        hear: Callable[[Arrival], None],
        *,
        links: Callable[[], tuple[str, ...]],
        active: Callable[[], str | None],
    ) -> None:
        """Listen; OperationError, naming the address, when that cannot be.

        ``hear`` takes what comes. ``links`` are the transports that this controller has up,
        ``active`` the one in use.
        """

    def offer(self, topic: str, data: bytes, *, retain: bool) -> bool:
        """Keep a message of this controller for those below. Return True if it is for any."""

    def relay(self, topic: str, data: bytes) -> None:
        """Pass a message from above on to those below, where they would not get it otherwise."""

    def warm(self) -> None:
        """Expect those below, since another transport was lost; from any thread."""

    def stop(self) -> None:
        """Stop listening."""

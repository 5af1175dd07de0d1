"""What a controller needs of the world, as protocols; the runtime picks who provides it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import threading
    from contextlib import AbstractContextManager

    from pdsno_cli.controllers.ledger import Ledger
    from pdsno_cli.controllers.retained import OwnRetained
    from pdsno_cli.discovery.sweep import SweepResult
    from pdsno_cli.model.messages import Command, Envelope, Payload
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.nib.store import Store, Transaction
    from pdsno_cli.spec.topology import Controller as Spec
    from pdsno_cli.spec.topology import Snmp, Topology

Result = TypeVar("Result")


class Cancellable(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Drop the call."""


class Scheduler(Protocol):
    """The owner's thread, now and later."""

    def after(self, seconds: float, work: Callable[[], None]) -> Cancellable:
        """Call ``work`` on the owner's thread in ``seconds``."""


class Background(Protocol):
    """A second thread for work that waits for the network."""

    def submit(self, work: Callable[[], Result], done: Callable[[Result], None]) -> None:
        """Run ``work`` there, then ``done`` with its result on the owner's thread."""


class Unit(Protocol):
    """A unit of work: a transaction, and the messages that tell of what it changes."""

    @property
    def tx(self) -> Transaction:
        """The transaction."""

    def coalesce(self, topic: str) -> None:
        """Drop what waits for ``topic``: what is staged next tells it all."""

    def stage(self, topic: str, payload: Payload, *, answers: str | None = None) -> None:
        """Keep a message until its receiver has committed it.

        ``answers`` is the message_id of what it answers.
        """


class Publisher(Protocol):
    """Numbers, signs and sends messages."""

    def publish(self, topic: str, payload: Payload, *, answers: str | None = None) -> bool:
        """Send what is worth nothing later, or is told again; whether a transport took it."""

    def clear(self, topic: str) -> None:
        """Have the broker forget the retained message on ``topic`` (best effort)."""

    def unit(self) -> AbstractContextManager[Unit]:
        """Give a unit of work; what it stages is sent once it is committed."""

    def full(self, topic: str) -> bool:
        """Whether as much waits for ``topic`` as may wait at all."""

    def told(self, topic: str) -> bool:
        """Whether anything was ever staged for ``topic``."""


class Sweep(Protocol):
    """Probes addresses with real packets; waits for the network, so not on the owner's thread."""

    def __call__(
        self, targets: Sequence[str], protocols: Sequence[str], snmp: Snmp, cancel: threading.Event
    ) -> SweepResult:
        """Return what answered; never raises: a probe's failure is part of the result."""


class Watcher(Protocol):
    """Whoever watches this controller run; the control plane does not depend on it."""

    def notice(self, notice: Notice) -> None:
        """Take note; never raises, never waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One controller and all that it works with.

    ``epoch`` is that of this start, ``holder`` the process, for people. ``fallen_back`` says
    whether a transport carries that others may not be on, because the best one is lost.
    ``subscribe`` adds a topic filter to those of this controller.
    """

    spec: Spec
    topology: Topology
    epoch: int
    holder: str
    store: Store
    publisher: Publisher
    scheduler: Scheduler
    background: Background
    sweep: Sweep
    watcher: Watcher
    subscribe: Callable[[str], None]
    fallen_back: Callable[[], bool] = lambda: False


class Role(Protocol):
    """A running controller, as the runtime drives it; every call is on the owner's thread."""

    @property
    def ledger(self) -> Ledger | None:
        """What it has committed of the streams that it receives; None where it receives none."""

    @property
    def retained(self) -> OwnRetained | None:
        """The policy that it publishes, as the broker keeps it; None where it publishes none."""

    def start(self) -> None:
        """Take up work before the first connection."""

    def connected(self) -> None:
        """A transport is up."""

    def disconnected(self) -> None:
        """No transport is up."""

    def receive(self, envelope: Envelope) -> None:
        """Apply one verified message."""

    def obey(self, envelope: Envelope, command: Command) -> None:
        """Carry out what a person orders; RefusedError when it is not for this controller."""

    def tell_all(self) -> None:
        """Tell everything anew: a receiver lost what it had of this controller."""

    def stop(self) -> None:
        """Give up what runs, and keep what is unsaid; nothing is called afterwards."""
